"""Results of a run as a table, and what is damaged in the folder of one."""

from __future__ import annotations

from pathlib import Path

from mmkd_plugin.fileio import file_hash, find_network, load_checkpoint, read_predictions, read_result

__all__ = ['format_table', 'result_faults']

TITLES = dict(teacher='teacher {}', student='student', learner='with it: {}', detector='detector')


def result_faults(work_dir: str | Path) -> list[str]:
    """List what is damaged in the folder of a finished run: its result, its logits, or the network that it has exported.

    Args:
        work_dir (str | Path): Of the run.

    Returns:
        list[str]: One sentence for each fault.
    """
    try:
        row = find_network(read_result(work_dir))
        missing = [key for key in ('val', 'test', 'sha256', 'checkpoint') if not row.get(key)]
        if missing:
            return [f'{Path(work_dir, "result.json")} has no {", ".join(missing)} of {row["name"]}']
        best, last = (Path(work_dir, f'{row["name"]}_{which}.pth') for which in ('best', 'last'))
        load_checkpoint(last)
        if not best.is_file() or file_hash(best) != row['sha256']:
            return [f'{best} is not the file that result.json names']
        arrays = read_predictions(work_dir)
        lost = [name for which in ('best', 'last') if (name := f'{row["name"]}/{which}') not in arrays]
        return [f'{Path(work_dir, "predictions.npz")} has no {name}' for name in lost]
    except (OSError, ValueError, KeyError) as error:
        return [str(error.args[0]) if isinstance(error, KeyError) else str(error)]


def format_table(result: dict) -> str:
    """Return the test metrics of all networks in percent, best on validation beside last epoch.

    Args:
        result (dict): As in ``result.json``.

    Returns:
        str: Lines to print.
    """
    titles = [TITLES[row['role']].format(row['name']) for row in result['networks']]
    width = max(map(len, titles))
    chance = 100 / result['classes']
    lines = [f'test on {result["n_test"]} windows of unseen subjects, {result["classes"]} classes (chance {chance:.1f} %)']
    if result.get('quick'):
        lines.append('a first look (--quick): networks are trained for two epochs, the metrics are no result')
    shown = None
    for title, row in zip(titles, result['networks']):
        # Metrics with a prefix are the host's own or a user's, in any unit; they stand in result.json alone.
        columns = [key for key in next(metrics for metrics in row['test'].values() if metrics) if '/' not in key]
        if columns != shown:
            lines += _head(columns, width)
            shown = columns
        cells = [_percent(row['test'].get(which), key) for which in ('best', 'last') for key in columns]
        lines.append(f'{title:{width}}  {row["params"]:>10,}  ' + '  '.join(f'{cell:>10}' for cell in cells))
    lines.append('-' * len(lines[-1]))
    lines += [f'the doctor found: {fault}' for fault in result.get('faults', [])]
    lines.append(f'student checkpoint: {find_network(result)["checkpoint"]}')
    return '\n'.join(lines)


def _head(columns: list[str], width: int) -> list[str]:
    span = 12 * len(columns) - 2
    rule = '-' * (width + 14 + 2 * span + 2)
    names = '  '.join(f'{key.replace("_", "-"):>10}' for key in columns)
    return [
        rule,
        f'{"":{width}}  {"parameters":>10}  {"best on validation":^{span}}  {"last epoch":^{span}}',
        f'{"":{width}}  {"":>10}  {names}  {names}',
        rule,
    ]


def _percent(metrics: dict | None, key: str) -> str:
    return '-' if metrics is None else f'{100 * metrics[key]:.2f}'
