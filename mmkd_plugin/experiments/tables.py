"""Tables of figures: what each network reaches on each data set, with its spreads, size and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from .cells import Cell, spread

__all__ = [
    'Column',
    'Table',
    'area_table',
    'complementarity_table',
    'cost_table',
    'detector_table',
    'figure_table',
    'measure_table',
    'missing_table',
]

Value = str | int | float | None
TITLES = {'best': 'best on validation', 'last': 'last epoch'}
NAMES = {'accuracy': 'accuracy', 'macro_f1': 'macro-F1'}


@dataclass(frozen=True)
class Column:
    """A column: its name, and the digits after the point of its numbers; None where it holds texts."""

    name: str
    digits: int | None = None


@dataclass(frozen=True)
class Table:
    """A table that any format can show: rows hold plain numbers, texts and None, which is shown as a dash.

    Attributes:
        name (str): For files, as 'accuracy_best'.
        title (str): A line above.
        columns (tuple[Column, ...]): Their names and digits.
        rows (tuple[tuple, ...]): As many values as columns each.
        notes (tuple[str, ...]): Sentences below.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...] = ()


def figure_table(cells: Sequence[Cell], metric: str = 'accuracy', which: str = 'best', legacy: bool = False) -> Table:
    """Return what every classifier reaches, in points, with each kind of mean and of spread in a column of its own.

    Args:
        cells (Sequence[Cell]): From :func:`~mmkd_plugin.experiments.cells.cells_of`.
        metric (str): 'accuracy' or 'macro_f1'.
        which (str): 'best' on validation, or 'last' epoch.
        legacy (bool): Add a column that is chosen on the test split, as older work has done.

    Returns:
        Table: A cell that lacks runs has no figures.
    """
    columns = [Column('data'), Column('network'), Column('runs'), Column('subjects', 0), Column('mean of subjects', 2)]
    columns += [Column('SD of subjects', 2), Column('SD of seeds', 2), Column('mean of folds', 2)]
    columns += [Column('mean of folds, without folds of a single class', 2), Column('pooled', 2)]
    columns += [Column('pooled, without folds of a single class', 2)]
    columns += [Column('better on test of best and last (legacy)', 2)] if legacy else []
    cells = [cell for cell in cells if cell.role != 'detector']
    rows = [(*_head(cell), *_figures(cell, metric, which), *([_legacy(cell, metric)] if legacy else [])) for cell in cells]
    notes = [*_absent(cells), *_single_class_folds(cells), *_several_weights(cells), *_doctor_faults(cells)]
    if legacy:
        notes.append('legacy: of the two checkpoints the one that is better on the test split; too high, and no result')
    title = f'{NAMES[metric].capitalize()}, {TITLES[which]}, in points'
    return Table(f'{metric}_{which}', title, tuple(columns), tuple(row[: len(columns)] for row in rows), tuple(notes))


def _head(cell: Cell) -> tuple[Value, ...]:
    return cell.data, cell.name, cell.count


def _figures(cell: Cell, metric: str, which: str) -> tuple[Value, ...]:
    subjects = list(cell.subjects(metric, which).values())
    if not cell.complete or not subjects:
        return (None,) * 8
    folds = [list(cell.folds(metric, which, single).values()) for single in (True, False)]
    pooled = [cell.pooled(metric, which, single) for single in (True, False)]
    means = [mean(values) if values else None for values in folds]
    seeds = None if cell.role == 'teacher' else spread(cell.seed_means(metric, which))
    return len(subjects), mean(subjects), spread(subjects), seeds, *means, *pooled


def _legacy(cell: Cell, metric: str) -> float | None:
    if not cell.complete:
        return None
    best, last = (cell.pooled(metric, which) for which in ('best', 'last'))
    known = [value for value in (best, last) if value is not None]
    return max(known) if known else None


def _absent(cells: Sequence[Cell]) -> list[str]:
    """Say which classes the test windows of a fold do not have, once for each data set."""
    absent: dict[str, dict] = {}
    for cell in cells:
        absent.setdefault(cell.data, {}).update(cell.absent())
    return [
        f'{data}{"" if fold is None else f", fold {fold}"}: the test windows have no {", ".join(names)}; macro-F1 and balanced '
        'accuracy are over the other classes'
        for data, folds in absent.items()
        for fold, names in sorted(folds.items(), key=lambda item: str(item[0]).zfill(9))
    ]


def _single_class_folds(cells: Sequence[Cell]) -> list[str]:
    folds: dict[str, set] = {}
    for cell in cells:
        folds.setdefault(cell.data, set()).update(cell.single_class_folds())
    return [
        f'{data}: folds of a single class: {", ".join(map(str, sorted(own, key=str)))}' for data, own in folds.items() if own
    ]


def _several_weights(cells: Sequence[Cell]) -> list[str]:
    several = [cell for cell in cells if cell.role == 'teacher' and len({fold for fold, _ in cell.rows}) < len(cell.rows)]
    return [
        f'{cell.data}: {cell.name} has several sets of weights in one fold, and the means are over them' for cell in several
    ]


def _doctor_faults(cells: Sequence[Cell]) -> list[str]:
    """Name the runs that the doctor has found fault with."""
    return [
        f'{cell.data}, {cell.name}{"" if fold is None else f", fold {fold}"}, seed {seed}: {fault}'
        for cell in cells
        if cell.role == 'student'
        for (fold, seed), record in cell.records.items()
        for fault in record['faults']
    ]


def measure_table(cells: Sequence[Cell], which: str = 'best') -> Table:
    """Return further measures of every classifier: means over its runs, and its size."""
    columns = [Column('data'), Column('network'), Column('runs'), Column('macro-F1, pooled', 2), Column('balanced accuracy', 2)]
    columns += [Column('ECE', 2), Column('NLL (nats)', 3), Column('parameters', 0), Column('MACs', 0)]
    rows = []
    for cell in cells:
        if cell.role == 'detector':
            continue
        if not cell.complete:
            rows.append((*_head(cell), *(None,) * 6))
            continue
        shares = [cell.figure(name, which) for name in ('balanced_accuracy', 'ece')]
        rows.append(
            (
                *_head(cell),
                cell.pooled('macro_f1', which),
                *(None if share is None else 100 * share for share in shares),
                cell.figure('nll', which),
                *_sizes(cell),
            )
        )
    notes = ('balanced accuracy, ECE and NLL are means over runs',)
    return Table(f'measures_{which}', f'Further measures, {TITLES[which]}', tuple(columns), tuple(rows), notes)


def area_table(cells: Sequence[Cell], which: str = 'best') -> Table | None:
    """Return the area under the ROC curve of every classifier of two classes, in points; None where there is no such one.

    Subjects who have windows of one class alone have no such area, and do not count.
    """
    names = ('subjects', 'mean of subjects', 'SD of subjects', 'SD of seeds')
    columns = (Column('data'), Column('network'), Column('runs'), *(Column(name, 2 if ' ' in name else 0) for name in names))
    rows = []
    for cell in cells:
        subjects = list(cell.subjects('auroc', which).values()) if cell.complete else []
        if subjects:
            seeds = None if cell.role == 'teacher' else spread(cell.seed_means('auroc', which))
            rows.append((*_head(cell), len(subjects), mean(subjects), spread(subjects), seeds))
    notes = ('of the subjects who have windows of both classes',)
    return Table(f'auroc_{which}', f'AUROC, {TITLES[which]}, in points', columns, tuple(rows), notes) if rows else None


def cost_table(cells: Sequence[Cell]) -> Table:
    """Return what the runs have cost, the only figures of a report that another machine or another try changes."""
    columns = (Column('data'), Column('method'), Column('runs'), Column('seconds of a run', 1), Column('peak memory (MiB)', 0))
    students = [cell for cell in cells if cell.role == 'student']
    rows = [(*_head(cell), *(_costs(cell) if cell.complete else (None, None))) for cell in students]
    notes = ('seconds are those of the process that ended the run, without the training of its teachers',)
    return Table('cost', 'Cost of the runs', columns, tuple(rows), notes)


def _sizes(cell: Cell) -> list[Value]:
    """Return parameters and MACs; where runs differ, both ends."""
    sizes: list[Value] = []
    for name in ('params', 'macs'):
        known = sorted({row[name] for row in cell.rows.values() if row[name] is not None})
        sizes.append(None if not known else known[0] if len(known) == 1 else f'{known[0]:,} to {known[-1]:,}')
    return sizes


def _costs(cell: Cell) -> list[Value]:
    """Return mean seconds and peak memory of the runs."""
    processes = [record['process'] for record in cell.records.values()]
    seconds = [process['seconds'] for process in processes if process.get('seconds') is not None]
    memory = [process['peak_memory'] for process in processes if process.get('peak_memory') is not None]
    return [mean(seconds) if seconds else None, round(max(memory) / 2**20) if memory else None]


def detector_table(cells: Sequence[Cell], which: str = 'best') -> Table | None:
    """Return the metrics of detectors, means and spreads over folds and seeds, in points; None without a detector.

    The spread of folds is that of their means over seeds, the spread of seeds that of their means over folds.
    """
    cells = [cell for cell in cells if cell.role == 'detector']
    if not cells:
        return None
    metrics = dict.fromkeys(name for c in cells for row in c.rows.values() for name in row['test'][which] or {})
    metrics = dict.fromkeys(name for name in metrics if '/' not in name)
    columns = [Column('data'), Column('network'), Column('runs')]
    columns += [Column(f'{name}{suffix}', 2) for name in metrics for suffix in ('', ', SD of folds', ', SD of seeds')]
    rows: list[tuple[Value, ...]] = []
    for cell in cells:
        figures: list[Value] = []
        for name in metrics:
            values = {
                run: 100 * row['test'][which][name] for run, row in cell.rows.items() if name in (row['test'][which] or {})
            }
            if not values or not cell.complete:
                figures += [None, None, None]
                continue
            folds_and_seeds = [dict.fromkeys(run[i] for run in values) for i in (0, 1)]
            axes = [
                [mean(v for run, v in values.items() if run[i] == at) for at in places]
                for i, places in enumerate(folds_and_seeds)
            ]
            figures += [mean(values.values()), *map(spread, axes)]
        rows.append((*_head(cell), *figures))
    return Table(f'detectors_{which}', f'Anomaly detection, {TITLES[which]}, in points', tuple(columns), tuple(rows))


def complementarity_table(cells: Sequence[Cell], which: str = 'best') -> Table | None:
    """Return how far teachers complement each other: means over subjects, in points; None without two teachers in a run.

    The best teacher is the one that is best on validation.
    """
    names = ['agreement', 'oracle', 'best teacher', 'oracle over best teacher', 'student', 'student over best teacher']
    columns = [Column('data'), Column('network'), Column('runs'), Column('teachers')]
    columns += [Column(name, None if name == 'best teacher' else 2) for name in names]
    rows: list[tuple[Value, ...]] = []
    for cell in cells:
        records = list(cell.records.values())
        if cell.role != 'student' or not any(record['complementarity'].get(which) for record in records):
            continue
        teachers = ', '.join(
            dict.fromkeys(r['name'] for record in records for r in record['networks'] if r['role'] == 'teacher')
        )
        rows.append((*_head(cell), teachers, *(_complement(cell, which) if cell.complete else (None,) * 6)))
    notes = (
        'agreement: all teachers predict the same class; oracle: at least one teacher is right; the best teacher is the one '
        'that is best on validation',
    )
    title = f'How teachers complement each other, {TITLES[which]}, in points, means over subjects'
    return Table('teachers', title, tuple(columns), tuple(rows), notes) if rows else None


def _complement(cell: Cell, which: str) -> tuple[Value, ...]:
    shares: dict[str, dict[str, list[float]]] = {}
    for record in cell.records.values():
        for row in record['complementarity'].get(which, ()):
            own = shares.setdefault(row['subject'], {})
            counts = {'agree': row['agree'], 'oracle': row['oracle'], **{f'teacher {k}': v for k, v in row['correct'].items()}}
            for name, count in counts.items():
                own.setdefault(name, []).append(100 * count / row['n'])
    means: dict[str, float] = {
        name: mean(mean(own[name]) for own in shares.values() if name in own)
        for name in dict.fromkeys(name for own in shares.values() for name in own)
    }
    student = mean(cell.subjects('accuracy', which).values())
    best = _best_teacher(cell)
    if best is None or f'teacher {best}' not in means:
        return means['agree'], means['oracle'], 'unknown: no validation figure', None, student, None
    top = means[f'teacher {best}']
    return means['agree'], means['oracle'], f'{best} ({top:.2f})', means['oracle'] - top, student, student - top


def _best_teacher(cell: Cell) -> str | None:
    figures: dict[str, list[float]] = {}
    for record in cell.records.values():
        for row in record['networks']:
            if row['role'] == 'teacher':
                figures.setdefault(row['name'], []).append((row['val'] or {}).get('accuracy'))  # type: ignore[arg-type]
    if any(value is None for values in figures.values() for value in values):
        return None
    return max(figures, key=lambda name: (mean(figures[name]), name))


def missing_table(cells: Sequence[Cell]) -> Table | None:
    """List the runs that are missing of networks that have any, with the reason where one is recorded; None where none is."""
    rows: list[tuple[Any, ...]] = []
    for cell in cells:
        for fold, seed in cell.missing if cell.asked and cell.role in ('student', 'teacher') else ():
            reason = cell.reasons.get((fold, seed), 'no record')
            rows.append((cell.data, cell.name, 'none' if fold is None else str(fold), str(seed), reason))
    columns = tuple(Column(name) for name in ('data', 'network', 'fold', 'seed', 'reason'))
    return Table('missing', 'Missing runs', columns, tuple(rows)) if rows else None
