"""What a report holds, made from records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..cells import METRICS, SCRATCH, WHICH, Cell, cells_of
from ..comparison import (
    Comparison,
    compare,
    comparison_table,
    nemenyi_table,
    overview_table,
    rank_table,
    ranks_of,
    variance_table,
)
from ..records import finished
from ..statistics import Ranks
from ..tables import (
    Table,
    area_table,
    complementarity_table,
    cost_table,
    detector_table,
    figure_table,
    measure_table,
    missing_table,
)
from ..validation import teachers_below_baseline
from .headline import headline

__all__ = ['Report', 'build_report', 'default_baseline']


@dataclass(frozen=True)
class Report:
    """A report in no format yet.

    Attributes:
        answer (str): The answer, in a sentence or two.
        notes (tuple[str, ...]): What a reader has to know before the tables.
        tables (tuple[Table, ...]): In the order of reading.
        comparisons (tuple[Comparison, ...]): Behind the answer.
        ranks (Ranks): Behind the critical-difference diagram.
        cells (tuple[Cell, ...]): Behind the tables.
        baseline (str, optional): What the methods are compared with.
        metric (str): What is compared.
        equivalence (float): Differences up to this many points do not matter in practice.
        which (str): The epoch that is compared: 'best' on validation, or the 'last' one.
    """

    answer: str
    notes: tuple[str, ...]
    tables: tuple[Table, ...]
    comparisons: tuple[Comparison, ...]
    ranks: Ranks
    cells: tuple[Cell, ...]
    baseline: str | None
    metric: str
    equivalence: float
    which: str = 'best'


def default_baseline(cells: Sequence[Cell]) -> str | None:
    """Return the student without teachers where all its runs on some data set are there, else None."""
    return SCRATCH if any(cell.name == SCRATCH and cell.complete for cell in cells) else None


def build_report(
    records: Iterable[dict],
    baseline: str | None = None,
    metric: str = 'accuracy',
    equivalence: float = 1.0,
    legacy: bool = False,
    which: str = 'best',
) -> Report:
    """Make a report from records.

    Args:
        records (Iterable[dict]): From :func:`~mmkd_plugin.experiments.records.read_records`; their order does not matter.
        baseline (str, optional): Method that the others are compared with; the student without teachers by default.
        metric (str): 'accuracy' or 'macro_f1'; what comparisons and ranks are of.
        equivalence (float): Differences up to this many points do not matter in practice.
        legacy (bool): Add a column that is chosen on the test split, as older work has done.
        which (str): The epoch that comparisons and ranks are of: 'best' on validation, or the 'last' one.

    Raises:
        ImportError: A package of the extra ``report`` is not installed.
        ValueError: There is no record, no such method, metric or epoch, or ``equivalence`` is negative.
    """
    records = list(records)
    if not records:
        raise ValueError('there is no record of a run to report on')
    if metric not in METRICS:
        raise ValueError(f'metric must be one of {", ".join(METRICS)}, got {metric!r}')
    if which not in WHICH:
        raise ValueError(f'which must be one of {", ".join(WHICH)}, got {which!r}')
    if not equivalence >= 0:
        raise ValueError(f'equivalence must be a number of points, at least 0; got {equivalence!r}')
    cells = cells_of(records)
    base = _check_baseline(baseline, cells) if baseline else default_baseline(cells)
    comparisons = compare(cells, base, metric, which, equivalence) if base else []
    ranks = ranks_of(cells, metric, which)
    several = len({cell.data for cell in cells}) > 1
    tables: list[Table | None] = [missing_table(cells)]
    if several:
        tables.append(overview_table(cells, base, metric, which))
    if base:
        tables.append(comparison_table(comparisons, base, equivalence, which))
    tables += [figure_table(cells, metric, each, legacy) for each in WHICH]
    tables += [measure_table(cells, which), area_table(cells, which), complementarity_table(cells, which)]
    tables += [detector_table(cells, each) for each in WHICH]
    if several:
        tables += [rank_table(ranks), nemenyi_table(ranks)]
    tables += [variance_table(cells, metric, which), cost_table(cells)]
    if base:
        answer = headline(comparisons, base, equivalence, which)
    else:
        names = ', '.join(dict.fromkeys(cell.name for cell in cells if cell.role == 'student' and cell.rows)) or 'none'
        answer = (
            f'Nothing is compared: {SCRATCH} has no complete runs, and no other baseline is named; the methods are {names}.'
        )
    notes = tuple(_notes(records, cells, base))
    known = tuple(table for table in tables if table is not None)
    return Report(answer, notes, known, tuple(comparisons), ranks, tuple(cells), base, metric, equivalence, which)


def _check_baseline(baseline: str, cells: Sequence[Cell]) -> str:
    names = list(dict.fromkeys(cell.name for cell in cells if cell.role == 'student' and cell.rows))
    if baseline in names:
        return baseline
    from mmkd_plugin.structures import unknown_name  # heavy: not at import

    raise ValueError(unknown_name('method', baseline, names))


def _notes(records: list[dict], cells: Sequence[Cell], baseline: str | None) -> list[str]:
    done, notes = finished(records), []
    quick = sum(record['quick'] for record in done)
    if quick:
        notes.append(f'{quick} of {len(done)} runs are first looks (--quick): their figures are no result')
    for cell in cells:
        if cell.name == SCRATCH and cell.role == 'student' and not cell.rows:
            notes.append(
                f'{cell.data}: the student without teachers ({SCRATCH}) has no runs; `mmkd sweep {SCRATCH}` makes them'
            )
        if cell.name == baseline and cell.role == 'student' and not cell.complete:
            notes.append(f'{cell.data}: {baseline} has {cell.count} runs, so nothing is compared with it there')
    notes += teachers_below_baseline(cells)
    lacking = sum(bool(cell.missing) for cell in cells if cell.asked and cell.role == 'student')
    if lacking:
        notes.append(f'{lacking} method(s) lack runs: a dash stands for their figures, and they are not compared')
    imported = [record for record in done if 'imported' in record['code']]
    if imported:
        notes.append(
            f'{len(imported)} of {len(done)} runs are imported from logs of other programs (imported=log): figures are as '
            'the logs print them, and nothing is known of their windows and networks'
        )
    tested = sum(record['code']['imported'].get('best') == 'on the test split' for record in imported)
    if tested:
        notes.append(f'best of {tested} imported runs is chosen on the test split, which is too high, and no result')
    done = [record for record in done if 'imported' not in record['code']]
    windows = defaultdict(set)
    for record in done:
        windows[record['data'], record['fold']].add(record['fingerprints'].get('data'))
    for (data, fold), fingerprints in sorted(windows.items(), key=str):
        if len(fingerprints) > 1:
            place = data if fold is None else f'{data}, fold {fold}'
            notes.append(f'{place}: runs have seen {len(fingerprints)} different sets of windows; their figures do not compare')
    commits = {(record['code'].get('commit'), record['code'].get('version')) for record in done}
    if len(commits) > 1:
        notes.append(f'the runs are of {len(commits)} versions of the code')
    return notes
