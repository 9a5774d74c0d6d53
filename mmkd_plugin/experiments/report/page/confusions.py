"""Confusion matrices of networks, over all folds and seeds together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from ...cells import Cell

__all__ = ['Confusion', 'confusions']


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix.

    Attributes:
        data (str): Name of the data.
        name (str): Name of the network.
        count (str): Number of runs.
        rows (tuple): For each true class its name, its windows in all runs, and the share in per cent of each predicted class;
            a class without windows has None.
        shown (bool): Whether the page begins with this matrix open.
    """

    data: str
    name: str
    count: str
    rows: tuple[tuple[str, int, tuple[int | None, ...]], ...]
    shown: bool


def confusions(cells: Sequence[Cell], baseline: str | None, which: str) -> list[Confusion]:
    """Return the matrices of all classifiers whose runs are complete.

    Args:
        cells (Sequence[Cell]): From :func:`~mmkd_plugin.experiments.cells.cells_of`.
        baseline (str, optional): Its matrix is open at first, beside that of the method with the highest accuracy.
        which (str): 'best' on validation, or 'last' epoch.

    Returns:
        list[Confusion]: By data set, those that are open first.
    """
    matrices = []
    for data in sorted({cell.data for cell in cells}):
        own = [cell for cell in cells if cell.data == data and cell.complete and cell.role != 'detector']
        students = {cell.name: cell.subjects('accuracy', which).values() for cell in own if cell.role == 'student'}
        highest = max((name for name, values in students.items() if values), key=lambda n: (mean(students[n]), n), default=None)
        of_data = [
            matrix
            for cell in own
            if (matrix := _matrix(cell, which, cell.role == 'student' and cell.name in (baseline, highest)))
        ]
        matrices += sorted(of_data, key=lambda matrix: not matrix.shown)
    return matrices


def _matrix(cell: Cell, which: str, shown: bool) -> Confusion | None:
    """Return the matrix of a cell; None where its runs do not have the same classes."""
    splits = [row['test'][which] for row in cell.rows.values() if 'confusion' in (row['test'][which] or {})]
    names = list(dict.fromkeys(tuple(record['classes']) for record in cell.records.values()))
    if not splits or len(names) > 1:
        return None
    counts = np.sum([split['confusion'] for split in splits], axis=0)
    rows = tuple((name, int(own.sum()), _shares(own)) for name, own in zip(*names, counts))
    return Confusion(cell.data, cell.name, cell.count, rows, shown)


def _shares(counts: np.ndarray) -> tuple[int | None, ...]:
    total = counts.sum()
    return tuple(round(100 * int(count) / int(total)) if total else None for count in counts)
