"""Embeddings of windows: of which runs, where t-SNE puts them, how far groups are apart, and how similar two networks are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cells import Cell
from .tables import Column, Table, Value

__all__ = [
    'Embedding',
    'choose_runs',
    'collect',
    'embedding_of',
    'linear_cka',
    'place',
    'separation',
    'separation_table',
    'similarity_table',
]

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
        subjects (tuple[str, ...]): Who was recorded in each of the n windows, empty where nobody is named.
    """

    data: str
    name: str
    role: str
    windows: tuple[str, ...]
    labels: NDArray
    classes: tuple[str, ...]
    values: NDArray
    subjects: tuple[str, ...]

    def by_class(self) -> tuple[str, ...]:
        """Return the name of every window's class, empty for no known one."""
        return tuple(self.classes[label] if label >= 0 else '' for label in self.labels.tolist())


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
        predictions (Mapping[str, Any]): By name of the network, as of :func:`embedding_of`.
    """
    data, method, record = run
    roles = {row['name']: row['role'] for row in record['networks']}
    return [
        embedding_of(data, method if roles[name] == 'student' else f'teacher {name}', roles[name], record['classes'], predicted)
        for name, predicted in predictions.items()
    ]


def embedding_of(data: str, name: str, role: str, classes: Sequence[str], predicted: Any) -> Embedding:
    """Return the embeddings among what a network gives for windows.

    Args:
        data (str): Name of the data.
        name (str): Of the method, or of the teacher.
        role (str): 'student' or 'teacher'.
        classes (Sequence[str]): Names of the classes.
        predicted (Any): ``labels``, ``window_ids``, ``samples`` and ``fields['embedding']``.
    """
    subjects = tuple(str(sample.get('subject') or '') for sample in predicted.samples)
    values = np.asarray(predicted.fields['embedding'], dtype=np.float64)
    labels = np.asarray(predicted.labels)
    return Embedding(data, name, role, tuple(predicted.window_ids), labels, tuple(classes), values, subjects)


def place(values: NDArray) -> NDArray | None:
    """Return where t-SNE puts windows on a plane, ``(n, 2)``; None for fewer than five of them.

    Args:
        values (ndarray): Embeddings, ``(n, C)``.
    """
    from sklearn.manifold import TSNE

    if len(values) < 5:
        return None
    perplexity = min(30.0, (len(values) - 1) / 3)
    init = 'pca' if values.shape[1] > 1 else 'random'
    return TSNE(perplexity=perplexity, init=init, random_state=0).fit_transform(_standardize(values))


def _standardize(values: NDArray) -> NDArray:
    """Return embeddings with mean 0 and standard deviation 1 in every feature that is not constant."""
    spread = values.std(0)
    return (values - values.mean(0)) / np.where(spread > 0, spread, 1)


def separation(values: NDArray, groups: Sequence[str]) -> float | None:
    """Return how far groups of windows are apart: the mean silhouette, from −1 to 1 (Rousseeuw 1987).

    Distances are Euclidean between standardised embeddings, which t-SNE reads too, and not on its plane.

    Args:
        values (ndarray): Embeddings, ``(n, C)``.
        groups (Sequence[str]): Name of each window's group; windows with an empty one are left out.

    Returns:
        float, optional: None for fewer than two groups, and where every window is a group of its own.
    """
    from sklearn.metrics import silhouette_score

    names = np.array(groups)
    known = names != ''
    if not 1 < len(set(names[known])) < known.sum():
        return None
    return float(silhouette_score(_standardize(values)[known], names[known]))


def separation_table(embeddings: Sequence[Embedding]) -> Table:
    """Return how far every network puts classes and subjects apart, and its similarity to the first one.

    Args:
        embeddings (Sequence[Embedding]): Of the same windows; the student's first.
    """
    first = embeddings[0]
    columns = [Column('network'), Column('role'), Column('features', 0), Column('silhouette by class', 3)]
    columns += [Column('by subject', 3), Column(f'similarity to {first.name} (CKA)', 3)]
    rows = tuple(
        (
            each.name,
            each.role,
            each.values.shape[1],
            separation(each.values, each.by_class()),
            separation(each.values, each.subjects),
            None if each is first else linear_cka(each.values, first.values),
        )
        for each in embeddings
    )
    notes = (
        'mean silhouette: 1 where groups lie far apart, 0 where they overlap, below 0 where windows are nearer to another '
        'group; a network that puts subjects apart has learned who moves',
    )
    title = f'embeddings of {len(first.windows):,} windows of {first.data}'
    return Table('separation', title, tuple(columns), rows, notes)


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
