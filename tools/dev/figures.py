"""Tables of the documentation that are made from tables in docs/tables, which lie there as commands have written them.

``steps.csv`` holds what benchmarks/steps.py prints; ``watch_all_methods/`` some of the tables that ``mmkd report`` writes from
the records of the sweep of that name: accuracy_best.csv, accuracy_last.csv, comparison.csv and cost.csv. ``tuning/`` holds the
budget.csv that ``mmkd search all_methods`` writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark_tables import BASELINE, difference, number, read_table

__all__ = [
    'ABSENT',
    'all_methods_table',
    'figures_table',
    'read_costs',
    'read_figures',
    'read_tuning',
    'steps_table',
    'tuning_part',
    'tuning_table',
]

SWEEP = 'watch_all_methods'
ABSENT = f'The sweep of all methods (`mmkd sweep {SWEEP}`: five folds, two seeds) has no figures here yet.'
BEST, EACH = 'best accuracy on validation', 'of its runs'  # columns of the search's table
REPORT = {'accuracy_best': 'network', 'accuracy_last': 'network', 'comparison': 'network', 'cost': 'method'}  # tables and keys
HEAD = ['accuracy, best on validation', 'SD of subjects', 'SD of seeds', 'last epoch']
HEAD += ['over the student alone', 'verdict', 'seconds']
NOTE = (
    'Points, as the mean over the subjects of five folds; a 95 % interval in brackets; seconds of a run on one core, without '
    f'its teachers. Printed by `mmkd sweep {SWEEP}` and `mmkd report`, whose tables are explained [here](PAGE#reports).'
)


def read_costs(docs: Path) -> dict[str, str]:
    """Return what a training step of every config costs in units of one of ``kd``."""
    return {name: row['cost'] for name, row in _read(docs / 'tables' / 'steps.csv', 'config').items()}


def steps_table(docs: Path, columns: int = 4) -> str:
    """Return the table of costs, cheap steps first, down one column after the other."""
    costs = [f'`{name}` | {cost}' for name, cost in read_costs(docs).items()]
    height = -(-len(costs) // columns)
    lines = [f'| {" | ".join(["config | cost"] * columns)} |', f'|{"---|---:|" * columns}']
    lines += [f'| {" | ".join(costs[i::height])} |' for i in range(height)]
    return '\n'.join(lines)


def read_figures(docs: Path) -> dict[str, list[str]]:
    """Return for every config the cells of its row in the table of all methods; none where no report has been copied.

    Raises:
        ValueError: A table of the report is missing.
    """
    folder = docs / 'tables' / SWEEP
    if not folder.is_dir():
        return {}
    missing = [f'{name}.csv' for name in REPORT if not (folder / f'{name}.csv').is_file()]
    if missing:
        raise ValueError(f'{folder} lacks {", ".join(missing)}: copy these tables from the folder of the report')
    best, last, comparison, cost = (_read(folder / f'{name}.csv', key) for name, key in REPORT.items())
    rows = {}
    for name, row in best.items():
        if name in cost:  # teachers, and learners beside a student, have rows of their own in the other tables
            compared = comparison.get(name)
            cells = [number(row[column]) for column in ('mean of subjects', 'SD of subjects', 'SD of seeds')]
            cells += [
                number(last[name]['mean of subjects']),
                difference(compared),
                compared['verdict'] if compared and compared['difference'] else '–',
            ]
            rows[name] = [*cells, number(cost[name]['seconds of a run'], 0)]
    return rows


def figures_table(names: Sequence[str], figures: Mapping[str, list[str]], page: str) -> str:
    """Return rows of the table of all methods.

    Args:
        names (Sequence[str]): Configs, in the order of the rows.
        figures (Mapping[str, list[str]]): From :func:`read_figures`.
        page (str): Path of docs/experiments.md from the page where the table stands.
    """
    rows = [f'| `{name}` | {" | ".join(figures[name])} |' for name in names if name in figures]
    return '\n'.join(
        [f'| config | {" | ".join(HEAD)} |', '|---|---:|---:|---:|---:|---:|---|---:|', *rows, '', NOTE.replace('PAGE', page)]
    )


def all_methods_table(docs: Path) -> str:
    """Return the whole table, the highest difference first, or what is said where there are no figures."""
    figures = read_figures(docs)
    ranked = list(_read(docs / 'tables' / SWEEP / 'comparison.csv', 'network')) if figures else []
    names = [*ranked, *(name for name in figures if name not in ranked)]
    return figures_table(names, figures, 'experiments.md') if figures else ABSENT


def read_tuning(docs: Path) -> dict[str, dict[str, str]]:
    """Return for every config its row of the table that the search of all methods has written; none where there is none."""
    path = docs / 'tables' / 'tuning' / 'budget.csv'
    return {row['method'].partition(' on ')[0]: row for row in _read(path, 'method').values()} if path.is_file() else {}


def tuning_part(names: Sequence[str], tuning: Mapping[str, dict[str, str]]) -> str:
    """Return what configs have reached on validation, in a sentence; empty where none is known."""
    known = [name for name in names if name in tuning]
    if not known:
        return ''
    figures = ', '.join(f'`{name}` {number(tuning[name][BEST])} % ({tuning[name][EACH]})' for name in [*known, BASELINE])
    trials = tuning[known[0]]['trials']
    where = 'in brackets UMAFall with teachers of four positions, and the watch'
    return f'On validation, best of {trials} trials (`mmkd search all_methods`; {where}): {figures}.'


def tuning_table(docs: Path) -> str:
    """Return the table of the search of all methods, the best first."""
    rows = sorted(read_tuning(docs).items(), key=lambda item: -float(item[1][BEST] or 0))
    if not rows:
        return 'The search of all methods has no figures here yet.'
    columns = ('complete', 'pruned', 'failed')
    lines = ['| config | validation | UMAFall, watch | ended, pruned, failed | settings |', '|---|---:|---|---|---|']
    for name, row in rows:
        counts = ', '.join(row[column] for column in columns)
        settings = row['settings'].replace(', ', ',<br>')
        lines.append(f'| `{name}` | {number(row[BEST])} | {row[EACH]} | {counts} | {settings} |')
    return '\n'.join(lines)


def _read(path: Path, key: str) -> dict[str, dict[str, str]]:
    return {row[key]: row for row in read_table(path)}
