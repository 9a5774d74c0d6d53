"""All runs, a row for each network that was trained or used."""

from __future__ import annotations

from collections.abc import Sequence

from ...cells import WHICH, Cell
from ...tables import NAMES, TITLES, Column, Table, Value

__all__ = ['run_table']


def run_table(cells: Sequence[Cell]) -> Table:
    """Return the figures of every run, in points.

    Args:
        cells (Sequence[Cell]): From :func:`~mmkd_plugin.experiments.cells.cells_of`.
    """
    columns = [Column('data'), Column('network'), Column('fold'), Column('seed'), Column('test windows', 0)]
    columns += [Column(f'{name}, {TITLES[which]}', 2) for name in NAMES.values() for which in WHICH]
    columns += [Column('parameters', 0), Column('seconds of the run', 1)]
    rows: list[tuple[Value, ...]] = []
    for cell in cells:
        for (fold, seed), row in sorted(
            cell.rows.items(), key=lambda item: (str(item[0][0]).zfill(9), str(item[0][1]).zfill(9))
        ):
            splits = [row['test'][which] or {} for which in WHICH]
            figures = [split.get(name) for name in NAMES for split in splits]
            seconds = cell.records[fold, seed]['process'].get('seconds') if cell.role == 'student' else None
            rows.append(
                (
                    cell.data,
                    cell.name,
                    'none' if fold is None else str(fold),
                    str(seed)[:8] if cell.role == 'teacher' else str(seed),
                    splits[0].get('n'),
                    *(None if figure is None else 100 * figure for figure in figures),
                    row['params'],
                    seconds,
                )
            )
    notes = ('the seed of a teacher is the start of the hash of its weights',)
    return Table('runs', 'Runs, accuracy and macro-F1 in points', tuple(columns), tuple(rows), notes)
