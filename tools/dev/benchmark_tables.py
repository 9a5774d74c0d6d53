"""Tables of the benchmark in the documentation, made from those that ``mmkd report`` has written.

``docs/tables/benchmark`` holds overview.csv and comparison.csv of two reports on the same records: ``best/`` compares the
epochs that are best on validation, ``last/`` the last ones (``--epoch last``).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmkd_plugin.experiments.report.markdown import format_value

__all__ = ['BASELINE', 'Benchmark', 'benchmark_part', 'benchmark_table', 'difference', 'number', 'read_benchmark', 'read_table']

BASELINE = 'supervised/student'
EPOCHS = {'best': 'best on validation', 'last': 'last epoch'}
OVER = 'over the student alone'
ALIKE = ('network', 'mean', f'over {BASELINE}')  # columns of the overview that are no data set


@dataclass(frozen=True)
class Benchmark:
    """Rows of two reports, by epoch.

    Attributes:
        overview (dict): By epoch and network, what it reaches on every data set, with the mean over them.
        differences (dict): By epoch, data set and network, the difference from the student alone with its interval.
    """

    overview: dict[str, dict[str, dict[str, str]]]
    differences: dict[str, dict[tuple[str, str], dict[str, str]]]

    @property
    def data(self) -> list[str]:
        """Names of the data sets, in the order of the report."""
        first = next(iter(self.overview['best'].values()), {})
        return [name for name in first if name not in ALIKE]


def read_benchmark(docs: Path) -> Benchmark | None:
    """Return the benchmark's figures; None where no report has been copied.

    Raises:
        ValueError: A table of a report is missing.
    """
    folder = docs / 'tables' / 'benchmark'
    if not folder.is_dir():
        return None
    overview, differences = {}, {}
    for epoch in EPOCHS:
        files = {name: folder / epoch / f'{name}.csv' for name in ('overview', 'comparison')}
        missing = [path for path in files.values() if not path.is_file()]
        if missing:
            raise ValueError(f'{missing[0]} is missing: copy it from the folder of the report')
        overview[epoch] = {row['network']: row for row in read_table(files['overview'])}
        differences[epoch] = {(row['data'], row['network']): row for row in read_table(files['comparison'])}
    return Benchmark(overview, differences)


def benchmark_table(benchmark: Benchmark | None) -> str:
    """Return what every network reaches, the highest mean first, with the gain by either choice of the epoch."""
    if benchmark is None:
        return 'The benchmark has no figures here yet.'
    data = benchmark.data
    head = ['config', *(f'`{name}`' for name in data), f'mean, {EPOCHS["best"]}', OVER, f'mean, {EPOCHS["last"]}', OVER]
    lines = [f'| {" | ".join(head)} |', f'|---|{"---:|" * (len(head) - 1)}']
    for name, row in benchmark.overview['best'].items():
        cells = [*(number(row[each]) for each in data), *_means(benchmark, name)]
        lines.append(f'| `{name}` | {" | ".join(cells)} |')
    return '\n'.join(lines)


def benchmark_part(names: Sequence[str], benchmark: Benchmark | None, page: str) -> str:
    """Return what some configs reach on every data set of the benchmark; empty where none of them is in it.

    Args:
        names (Sequence[str]): Configs, in the order of the rows.
        benchmark (Benchmark, optional): From :func:`read_benchmark`.
        page (str): Path of docs/results.md from the page where the table stands.
    """
    if benchmark is None:
        return ''
    known = [name for name in names if name in benchmark.overview['best']]
    if not known:
        return ''
    head = ['config', 'data', *(cell for title in EPOCHS.values() for cell in (title, OVER))]
    lines = [f'| {" | ".join(head)} |', '|---|---|---:|---:|---:|---:|']
    for name in known:
        for data in benchmark.data:
            cells = []
            for epoch in EPOCHS:
                cells.append(number(benchmark.overview[epoch][name][data]))
                cells.append(difference(benchmark.differences[epoch].get((data, name))))
            lines.append(f'| `{name}` | `{data}` | {" | ".join(cells)} |')
        lines.append(f'| `{name}` | mean | {" | ".join(_means(benchmark, name))} |')
    note = (
        'Accuracy in points, as the mean over the people of each data set, each tested once, and two seeds; 95 % '
        f'intervals in brackets. Printed by `mmkd sweep benchmark` and `mmkd report`: [six data sets]({page}#six-data-sets).'
    )
    below = [text for text in (_below(benchmark, name, page) for name in known) if text]
    return '\n'.join([*lines, '', note, *(['', ' '.join(below)] if below else [])])


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table as a command has written it."""
    with open(path, encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def number(value: str, digits: int = 2) -> str:
    """Return a number of a table with so many digits; a dash where there is none."""
    return format_value(float(value) if value else None, digits)


def difference(row: dict[str, str] | None) -> str:
    """Return a difference of a comparison with its interval; a dash where nothing is compared."""
    if row is None or not row['difference']:
        return '–'
    interval = f' ({number(row["low"])} to {number(row["high"])})' if row['low'] else ''
    return f'{_signed(row["difference"])}{interval}'


def _means(benchmark: Benchmark, name: str) -> list[str]:
    rows = [benchmark.overview[epoch][name] for epoch in EPOCHS]
    return [cell for row in rows for cell in (number(row['mean']), _signed(row[ALIKE[-1]]))]


def _below(benchmark: Benchmark, name: str, page: str) -> str:
    """Say of a method whose mean is below that of the student alone whether the choice of the epoch makes it so."""
    gains = {epoch: benchmark.overview[epoch][name][ALIKE[-1]] for epoch in EPOCHS}
    if not all(gains.values()) or round(float(gains['best']), 2) >= 0:
        return ''
    best, last = (abs(float(gain)) for gain in gains.values())
    text = f'By the epochs that are best on validation `{name}` is {best:.2f} points below the student alone on the mean'
    if float(gains['last']) < 0:
        return f'{text}, by the last ones {last:.2f} points.'
    return (
        f'{text}, by the last ones no longer (+{last:.2f}): few people validate, and what is best on them is chosen too early '
        f'([which epoch]({page}#which-epoch)).'
    )


def _signed(value: str) -> str:
    text = number(value)
    return text if not value or text.startswith('-') else f'+{text}'
