"""Embeddings of test windows: which runs they are taken of, where t-SNE puts them, and how similar two of them are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cells import Cell
from .tables import Column, Table, Value

__all__ = ['Embedding', 'choose_runs', 'collect', 'linear_cka', 'place', 'similarity_table']

Run = tuple[str, str, dict]  # data, method, record


@dataclass(frozen=True)
class Embedding:
    """Embeddings of the same windows by one network.

    Attributes:
        data (str): Name of the data.
        name (str): Of the method, or of the teacher.
        role (str): 'student' or 'teacher'.
        windows (tuple[str, ...]): Names of the n windows.
        labels (ndarray): ``(n, )``, −1 for no known class.
        classes (tuple[str, ...]): Names of the classes.
        values (ndarray): ``(n, C)``.
    """

    data: str
    name: str
    role: str
    windows: tuple[str, ...]
    labels: NDArray
    classes: tuple[str, ...]
    values: NDArray


def choose_runs(cells: Sequence[Cell]) -> list[Run]:
    """Return one run of every method on every data set: that of the lowest fold and seed.

    Args:
        cells (Sequence[Cell]): From :func:`~mmkd_plugin.experiments.cells.cells_of`.
    """
    chosen: list[Run] = []
    for cell in cells:
        made = [run for run, record in cell.records.items() if 'imported' not in record['code']]
        if cell.role == 'student' and made:
            first = min(made, key=lambda run: (-1 if run[0] is None else run[0], run[1]))
            chosen.append((cell.data, cell.name, cell.records[first]))
    return chosen


def collect(run: Run, predictions: Mapping[str, Any]) -> list[Embedding]:
    """Return the embeddings of a run's networks.

    Args:
        run (Run): From :func:`choose_runs`.
        predictions (Mapping[str, Any]): By name of the network: ``labels``, ``window_ids`` and ``fields['embedding']``.
    """
    data, method, record = run
    roles = {row['name']: row['role'] for row in record['networks']}
    return [
        Embedding(
            data,
            method if roles[name] == 'student' else f'teacher {name}',
            roles[name],
            tuple(own.window_ids),
            np.asarray(own.labels),
            tuple(record['classes']),
            np.asarray(own.fields['embedding'], dtype=np.float64),
        )
        for name, own in predictions.items()
    ]


def place(values: NDArray) -> NDArray | None:
    """Return where t-SNE puts windows on a plane, ``(n, 2)``; None for fewer than five of them.

    Args:
        values (ndarray): Embeddings, ``(n, C)``.
    """
    from sklearn.manifold import TSNE

    if len(values) < 5:
        return None
    spread = values.std(0)
    values = (values - values.mean(0)) / np.where(spread > 0, spread, 1)
    perplexity = min(30.0, (len(values) - 1) / 3)
    return TSNE(perplexity=perplexity, init='pca' if values.shape[1] > 1 else 'random', random_state=0).fit_transform(values)


def linear_cka(one: NDArray, other: NDArray) -> float | None:
    """Return how similar two embeddings of the same windows are, from 0 to 1 (Kornblith et al., ICML 2019, equation 3).

    Args:
        one (ndarray): ``(n, C)``.
        other (ndarray): ``(n, D)``.

    Returns:
        float, optional: None where an embedding is the same for all windows.
    """
    one, other = one - one.mean(0), other - other.mean(0)
    scale = np.linalg.norm(one.T @ one) * np.linalg.norm(other.T @ other)
    return float(np.linalg.norm(one.T @ other) ** 2 / scale) if scale > 0 else None


def similarity_table(embeddings: Sequence[Embedding]) -> Table | None:
    """Return the similarity of every student to every teacher that has seen the same windows; None without a teacher."""
    teachers = {(each.data, each.name): each for each in embeddings if each.role == 'teacher'}
    names = sorted({name for _, name in teachers})
    rows: list[tuple[Value, ...]] = []
    for student in embeddings:
        if student.role != 'student':
            continue
        own = [teachers.get((student.data, name)) for name in names]
        same = [teacher if teacher and teacher.windows == student.windows else None for teacher in own]
        if any(same):
            rows.append(
                (student.data, student.name, *(None if t is None else linear_cka(student.values, t.values) for t in same))
            )
    columns = (Column('data'), Column('network'), *(Column(name, 3) for name in names))
    notes = ('linear CKA of the embeddings of the same test windows: 1 where they are equal but for rotation and scale',)
    return Table('similarity', 'Similarity of students and teachers (CKA)', columns, tuple(rows), notes) if rows else None
