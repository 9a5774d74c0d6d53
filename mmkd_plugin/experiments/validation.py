"""Teachers beside the student trained alone, by the figures on validation that results and records hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import mean

from .cells import SCRATCH, Cell

__all__ = ['below_student', 'teachers_below_baseline']


def below_student(teacher: str, accuracy: float, student: float, lacking: bool = False) -> str:
    """Return a sentence that a teacher is below the student trained alone on validation; empty where it is not.

    Args:
        teacher (str): Name of the teacher.
        accuracy (float): Of the teacher, from 0 to 1.
        student (float): Accuracy of the student alone.
        lacking (bool): Whether windows lack what some network reads, so that figures are of different windows.
    """
    own = ', each on the windows that have what it reads' if lacking else ''
    figures = f'{100 * accuracy:.2f} % against {100 * student:.2f} %{own}'
    below = f'teacher {teacher} is below the student trained alone on validation: {figures}'
    return below if round(accuracy, 10) < round(student, 10) else ''


def teachers_below_baseline(cells: Sequence[Cell]) -> list[str]:
    """Name the teachers that are below the student trained alone on validation, one sentence each.

    Compared are accuracies, means over the folds that both have on the same windows, of several seeds the mean.

    Args:
        cells (Sequence[Cell]): From :func:`~mmkd_plugin.experiments.cells.cells_of`.
    """
    students = {cell.data: _by_fold(cell) for cell in cells if cell.name == SCRATCH and cell.role == 'student'}
    sentences = []
    for cell in cells:
        base, own = students.get(cell.data, {}), _by_fold(cell) if cell.role == 'teacher' else {}
        shared = [fold for fold in own if fold in base]
        if not shared:
            continue
        lacking = any(_lacks(record) for record in cell.records.values())
        figure, student = (mean(values[fold] for fold in shared) for values in (own, base))
        sentence = below_student(cell.name.removeprefix('teacher '), figure, student, lacking)
        if sentence and len(shared) > 1:
            lower = sum(own[fold] < base[fold] for fold in shared)
            sentence += f', means over {len(shared)} folds, in {lower} of which it is below'
        sentences += [f'{cell.data}: {sentence}'] if sentence else []
    return sentences


def _by_fold(cell: Cell) -> dict[tuple, float]:
    """Return the accuracy on validation by fold and windows, the mean over the cell's runs there."""
    values = defaultdict(list)
    for run, row in cell.rows.items():
        accuracy, record = (row['val'] or {}).get('accuracy'), cell.records[run]
        if accuracy is not None:
            values[record['fold'], record['quick'], record['fingerprints'].get('data')].append(accuracy)
    return {fold: mean(own) for fold, own in values.items()}


def _lacks(record: dict) -> bool:
    return any((record['windows'].get('lacking') or {}).get('val', {}).values())
