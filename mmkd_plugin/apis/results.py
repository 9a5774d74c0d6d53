"""Results of a run as a table, and what is damaged in the folder of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmkd_plugin.fileio import file_faults, find_network, read_predictions, read_result

__all__ = ['format_table', 'result_faults']

TITLES = dict(teacher='teacher {}', student='student', learner='with it: {}', detector='{}')


def result_faults(work_dir: str | Path) -> list[str]:
    """List what is damaged in the folder of a finished run: its result, its logits, or the network that it has exported.

    Args:
        work_dir (str | Path): Of the run.

    Returns:
        list[str]: One sentence for each fault.
    """
    try:
        result = read_result(work_dir)
        row, hashes = find_network(result), result.get('files')
        hashes = hashes if isinstance(hashes, dict) else {}
        names = [f'{row["name"]}_best.pth', f'{row["name"]}_last.pth', 'predictions.npz']
        missing = [key for key in ('val', 'test', 'sha256', 'checkpoint') if not row.get(key)]
        if missing or hashes.keys() != set(names) or hashes[names[0]] != row['sha256']:
            lacks = ', '.join(missing) or f'hashes of {", ".join(names)}'
            return [f'{Path(work_dir, "result.json")} has no {lacks} of {row["name"]}']
        faults = file_faults(work_dir, hashes)
        if faults:
            return faults
        arrays = read_predictions(work_dir)
        logits = {name: arrays.get(name) for which in ('best', 'last') if (name := f'{row["name"]}/{which}')}
        path = Path(work_dir, 'predictions.npz')
        lost = [f'{path} has no {name}' for name, values in logits.items() if values is None]
        return lost or [
            f'{path} has logits of {name} that are not finite: the run has diverged'
            for name, values in logits.items()
            if values is not None and not np.isfinite(values).all()
        ]
    except (OSError, ValueError, KeyError) as error:
        return [f'{Path(work_dir, "result.json")}: {error.args[0]}' if isinstance(error, KeyError) else str(error)]


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
    people = ' of unseen subjects' if result.get('unseen_subjects', True) else ''
    lines = [f'test on {result["n_test"]} windows{people}, {result["classes"]} classes (chance {chance:.1f} %)']
    if result.get('absent'):
        lines.append(f'without a test window, and left out of macro-F1: {", ".join(result["absent"])}')
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
