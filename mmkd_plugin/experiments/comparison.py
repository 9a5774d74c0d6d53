"""Comparisons of methods with a baseline: by data set and over all, as differences of subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from .cells import Cell
from .statistics import (
    DIGITS,
    Difference,
    Ranks,
    Variance,
    correct_holm,
    judge,
    paired_difference,
    rank_methods,
    variance_parts,
)
from .tables import NAMES as METRIC_NAMES
from .tables import TITLES, Column, Table, Value

__all__ = [
    'ALL',
    'Comparison',
    'compare',
    'comparison_table',
    'nemenyi_table',
    'overview_table',
    'rank_table',
    'ranks_of',
    'variance_table',
]

ALL = 'all'  # data sets together


@dataclass(frozen=True)
class Comparison:
    """A method against the baseline.

    Attributes:
        method (str): Name of the method.
        data (tuple[str, ...]): Names of the data sets; several where their subjects are taken together.
        subjects (dict): Difference of every subject in points, by data set and subject.
        difference (Difference): Over the subjects.
        p (float, optional): Holm's correction of the p-value, over the methods that are compared on the same data.
        verdict (str): See :func:`~mmkd_plugin.experiments.statistics.judge`.
    """

    method: str
    data: tuple[str, ...]
    subjects: dict[tuple[str, str], float]
    difference: Difference
    p: float | None
    verdict: str


def compare(
    cells: Sequence[Cell], baseline: str, metric: str = 'accuracy', which: str = 'best', equivalence: float = 1.0
) -> list[Comparison]:
    """Compare every method with the baseline on every data set, and on all data sets where there are several.

    A cell that lacks runs is not compared.

    Args:
        cells (Sequence[Cell]): From :func:`~mmkd_plugin.experiments.cells.cells_of`.
        baseline (str): Name of the method that the others are compared with.
        metric (str): 'accuracy' or 'macro_f1'.
        which (str): 'best' on validation, or 'last' epoch.
        equivalence (float): Differences up to this many points do not matter in practice.

    Returns:
        list[Comparison]: All data sets together first, where there are several; a method that is not on all of them is left
        out there.
    """
    students = {(cell.data, cell.name): cell for cell in cells if cell.role == 'student' and cell.complete}
    by_data = {}
    for data in sorted({data for data, name in students if name == baseline}):
        base = students[data, baseline].subjects(metric, which)
        others = {
            name: cell.subjects(metric, which) for (own, name), cell in students.items() if own == data and name != baseline
        }
        by_data[data] = {
            name: {(data, each): round(values[each] - base[each], DIGITS) for each in sorted(base) if each in values}
            for name, values in sorted(others.items())
        }
    groups: list[tuple[tuple[str, ...], dict]] = [((data,), methods) for data, methods in by_data.items()]
    if len(by_data) > 1:
        everywhere = set.intersection(*(set(methods) for methods in by_data.values()))
        together = {
            name: {k: v for methods in by_data.values() for k, v in methods[name].items()} for name in sorted(everywhere)
        }
        groups.insert(0, (tuple(by_data), together))
    return [comparison for data, methods in groups for comparison in _judge_all(data, methods, equivalence)]


def _judge_all(data: tuple[str, ...], methods: dict[str, dict[tuple[str, str], float]], equivalence: float) -> list[Comparison]:
    differences = {name: paired_difference(list(subjects.values())) for name, subjects in methods.items()}
    corrected = correct_holm([difference.p for difference in differences.values()])
    return [
        Comparison(name, data, methods[name], difference, p, judge(difference, p, equivalence))
        for (name, difference), p in zip(differences.items(), corrected)
    ]


def comparison_table(comparisons: Sequence[Comparison], baseline: str, equivalence: float, which: str = 'best') -> Table:
    """Return the comparisons as a table, the largest difference first on each data set."""
    columns = [Column('data'), Column('network'), Column('difference', 2), Column('low', 2), Column('high', 2), Column('p', 4)]
    columns += [
        Column('p, Holm', 4),
        Column('subjects', 0),
        Column('gained', 0),
        Column('lost', 0),
        Column('verdict'),
        Column('note'),
    ]
    rows: list[tuple[Value, ...]] = []
    order = list(dict.fromkeys(comparison.data for comparison in comparisons))
    for each in sorted(comparisons, key=lambda c: (order.index(c.data), -(c.difference.mean or 0), c.method)):
        d = each.difference
        data = each.data[0] if len(each.data) == 1 else ALL
        rows.append((data, each.method, d.mean, d.low, d.high, d.p, each.p, d.n, d.gained, d.lost, each.verdict, d.note))
    notes = (
        'differences of subjects in points, the seeds of a subject averaged; low and high: 95 % BCa bootstrap interval of the '
        "mean; p: Wilcoxon's signed-rank test, with Holm's correction over the methods on the same data",
        f'equivalent: the interval lies within ±{equivalence:g} points; above, below: 0 lies outside the interval, and the '
        'corrected p is below 0.05; undecided: no difference can be told',
    )
    return Table('comparison', f'Against {baseline}, {TITLES[which]}', tuple(columns), tuple(rows), notes)


def ranks_of(cells: Sequence[Cell], metric: str = 'accuracy', which: str = 'best') -> Ranks:
    """Rank the methods that are complete on all data sets by their means of subjects."""
    data = sorted({cell.data for cell in cells})
    means = _means_of(cells, metric, which)
    return rank_methods({name: [own[d] for d in data] for name, own in means.items() if own.keys() == set(data)})


def _means_of(cells: Sequence[Cell], metric: str, which: str) -> dict[str, dict[str, float]]:
    """Return the mean over the subjects, in points, by method and data set, of complete cells."""
    means: dict[str, dict[str, float]] = {}
    for cell in cells:
        values = cell.subjects(metric, which).values() if cell.role == 'student' and cell.complete else ()
        if values:  # another program's log may not say the metric
            means.setdefault(cell.name, {})[cell.data] = mean(values)
    return means


def overview_table(cells: Sequence[Cell], baseline: str | None, metric: str = 'accuracy', which: str = 'best') -> Table:
    """Return what every method reaches on every data set, with the mean over the data sets, the highest first.

    Every data set counts alike there; where subjects are taken together, as in a comparison, larger data sets count more.

    Args:
        cells (Sequence[Cell]): From :func:`~mmkd_plugin.experiments.cells.cells_of`.
        baseline (str, optional): Name of the method that the means are compared with.
        metric (str): 'accuracy' or 'macro_f1'.
        which (str): 'best' on validation, or 'last' epoch.
    """
    data = list(dict.fromkeys(cell.data for cell in cells))
    means = _means_of(cells, metric, which)
    overall = {name: mean(own.values()) for name, own in means.items() if own.keys() == set(data)}
    base = overall.get(baseline or '')
    columns = [Column('network'), *(Column(each, 2) for each in data), Column('mean', 2)]
    columns += [] if base is None else [Column(f'over {baseline}', 2)]
    rows: list[tuple[Value, ...]] = []
    for name, own in sorted(means.items(), key=lambda item: (-overall.get(item[0], -1.0), item[0])):
        over = [] if base is None else [overall[name] - base if name in overall and name != baseline else None]
        rows.append((name, *(own.get(each) for each in data), overall.get(name), *over))
    title = f'{METRIC_NAMES[metric].capitalize()} by data set, {TITLES[which]}, in points'
    notes = ('mean over the subjects of each data set, the seeds averaged; mean: over the data sets, each counted once',)
    return Table('overview', title, tuple(columns), tuple(rows), notes)


def rank_table(ranks: Ranks) -> Table:
    """Return mean ranks as a table, with Friedman's p-value below."""
    notes = [ranks.note] if ranks.note else [f"Friedman's test: p = {ranks.p:.4g}; methods of incomplete cells have no rank"]
    columns = (Column('network'), Column('mean rank', 2))
    return Table('ranks', 'Ranks over data sets', columns, tuple(ranks.ranks.items()), tuple(notes))


def nemenyi_table(ranks: Ranks) -> Table | None:
    """Return the p-values of Nemenyi's test; None where there was no test."""
    if not ranks.nemenyi:
        return None
    columns = (Column('network'), *(Column(name, 4) for name in ranks.nemenyi))
    rows: list[tuple[Value, ...]] = [(name, *row.values()) for name, row in ranks.nemenyi.items()]
    return Table('nemenyi', "Nemenyi's test, p-values", columns, tuple(rows))


def variance_table(cells: Sequence[Cell], metric: str = 'accuracy', which: str = 'best') -> Table:
    """Return what makes the figures of students differ, by data set: standard deviations in points of a mixed model."""
    columns = (Column('data'), *(Column(name, 2) for name in ('subjects', 'folds', 'seeds', 'residual')), Column('note'))
    rows: list[tuple[Value, ...]] = []
    for data in sorted({cell.data for cell in cells}):
        values = [
            (value, cell.name, subject, fold, seed)
            for cell in cells
            if cell.data == data and cell.role == 'student' and cell.complete
            for (subject, (fold, seed)), value in cell.values(metric, which).items()
        ]
        parts = variance_parts(*zip(*values)) if values else Variance(None, None, None, None, 'no complete method')
        rows.append((data, parts.subjects, parts.folds, parts.seeds, parts.residual, parts.note))
    notes = (
        'standard deviations in points; the method is a fixed effect, and a seed is one training of one method in one fold',
    )
    return Table('variance', 'What makes figures differ', columns, tuple(rows), notes)
