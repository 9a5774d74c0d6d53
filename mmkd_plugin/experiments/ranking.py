"""Teachers, their ensemble and the student trained alone, best first on the same windows, and what each teacher knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .ensembles import brier_score, class_changes, double_fault, mean_response, only_right, q_statistic, right_windows
from .report.headline import format_points
from .scores import score
from .statistics import Difference, judge, paired_difference

__all__ = ['ENSEMBLE', 'STUDENT', 'Knowledge', 'Pair', 'Ranking', 'Size', 'Standing', 'rank_classifiers']

ENSEMBLE, STUDENT = 'all teachers', 'student alone'
EQUIVALENCE = 1.0  # points; as in a report


class Size(NamedTuple):
    """What a classifier reads and costs: views, parameters, and multiplications and additions for one window."""

    view: str
    params: int
    macs: int


@dataclass(frozen=True)
class Standing:
    """A classifier on the windows that it responds to.

    Attributes:
        name (str): Of the teacher, :data:`ENSEMBLE` or :data:`STUDENT`.
        size (Size): Of the ensemble, the sum of all teachers.
        n (int): Windows.
        accuracy (float): From 0 to 1, and so ``macro_f1`` and ``ece``.
        macro_f1 (float): Over the classes with a window.
        nll (float): Negative log-likelihood, in nats.
        ece (float): Expected calibration error in 15 bins.
        brier (float): From 0 to 2.
        student (float): Accuracy of the student alone on the same windows.
        difference (Difference): From the student alone, over subjects, in points.
        verdict (str): See :func:`~mmkd_plugin.experiments.statistics.judge`; nothing is corrected for several teachers.
    """

    name: str
    size: Size
    n: int
    accuracy: float
    macro_f1: float
    nll: float
    ece: float
    brier: float
    student: float
    difference: Difference
    verdict: str


@dataclass(frozen=True)
class Knowledge:
    """What a teacher knows that others do not; shares of its windows, from 0 to 1.

    Attributes:
        name (str): Of the teacher.
        only (float, optional): The teacher is right and no other teacher is; None where there is no other.
        beyond (float): The teacher is right and the student alone is wrong.
        behind (float): The student alone is right and the teacher is wrong.
        without (float, optional): Accuracy of the ensemble of the other teachers.
        adds (float, optional): Points by which the ensemble with the teacher is better on the same windows.
        gain (tuple[str, float], optional): Class whose recall is furthest above the student's, and by how many points; None
            where no class is above.
        loss (tuple[str, float], optional): Class furthest below.
    """

    name: str
    only: float | None
    beyond: float
    behind: float
    without: float | None
    adds: float | None
    gain: tuple[str, float] | None
    loss: tuple[str, float] | None


@dataclass(frozen=True)
class Pair:
    """Two classifiers on the n windows that both respond to.

    Attributes:
        names (tuple[str, str]): Of both.
        n (int): Windows.
        agreement (float, optional): Share on which they predict the same class; None without such a window.
        q (float, optional): See :func:`~mmkd_plugin.experiments.ensembles.q_statistic`.
        double_fault (float, optional): Share on which both are wrong.
    """

    names: tuple[str, str]
    n: int
    agreement: float | None
    q: float | None
    double_fault: float | None


@dataclass(frozen=True)
class Ranking:
    """Teachers of a run beside its student trained alone, on windows that none of them has learned from.

    Attributes:
        standings (tuple[Standing, ...]): Best accuracy first.
        knowledge (tuple[Knowledge, ...]): Of every teacher.
        pairs (tuple[Pair, ...]): Every two of the teachers and the student alone.
        oracle (float): Share of the ensemble's windows on which at least one teacher is right.
        n (int): Windows of the split.
        subjects (int): Who or what has recorded them.
        unit (str): 'subject', or 'recording' where the data name nobody.
        warnings (tuple[str, ...]): A sentence for each classifier that is below the student alone.
    """

    standings: tuple[Standing, ...]
    knowledge: tuple[Knowledge, ...]
    pairs: tuple[Pair, ...]
    oracle: float
    n: int
    subjects: int
    unit: str
    warnings: tuple[str, ...]


def rank_classifiers(
    teachers: Mapping[str, NDArray],
    student: NDArray,
    labels: NDArray,
    subjects: NDArray,
    classes: Sequence[str],
    sizes: Mapping[str, Size],
    unit: str = 'subject',
) -> Ranking:
    """Rank teachers, their ensemble and a student by their logits.

    Args:
        teachers (Mapping[str, ndarray]): ``(n, K)`` by name; NaN where a teacher has no response.
        student (ndarray): Logits of the student alone, ``(n, K)``.
        labels (ndarray): ``(n, )``.
        subjects (ndarray): Names, ``(n, )``.
        classes (Sequence[str]): Names of the K classes.
        sizes (Mapping[str, Size]): Of every teacher, and of :data:`STUDENT`.
        unit (str): What a subject is called.

    Raises:
        ValueError: There is no teacher, or one responds to no window.
    """
    if not teachers:
        raise ValueError('there is no teacher to rank')
    empty = [name for name, logits in teachers.items() if not np.isfinite(logits).all(1).any()]
    if empty:
        raise ValueError(f'no window has a response of {", ".join(empty)}')
    stacked = np.stack(list(teachers.values()))  # (T, n, K)
    right = right_windows(stacked, labels)  # (T, n)
    logits, sizes = {**teachers, STUDENT: student}, dict(sizes)
    if len(teachers) > 1:
        logits[ENSEMBLE] = mean_response(stacked)
        own = [sizes[name] for name in teachers]
        views = '+'.join(dict.fromkeys(size.view for size in own))
        sizes[ENSEMBLE] = Size(views, sum(size.params for size in own), sum(size.macs for size in own))
    standings = [_standing(name, sizes[name], logits[name], student, labels, subjects, classes) for name in logits]
    standings.sort(key=lambda standing: (-standing.accuracy, standing.nll))
    windows = np.isfinite(stacked).all(2).any(0)
    return Ranking(
        standings=tuple(standings),
        knowledge=tuple(_knowledge(row, list(teachers), stacked, student, labels, classes) for row in range(len(teachers))),
        pairs=tuple(_pair(pair, logits, labels) for pair in combinations([*teachers, STUDENT], 2)),
        oracle=float(right[:, windows].any(0).mean()),
        n=len(labels),
        subjects=len(np.unique(subjects)),
        unit=unit,
        warnings=tuple(_warning(each, unit) for each in standings if each.accuracy < each.student),
    )


def _standing(
    name: str,
    size: Size,
    logits: NDArray,
    student: NDArray,
    labels: NDArray,
    subjects: NDArray,
    classes: Sequence[str],
) -> Standing:
    own = np.isfinite(logits).all(1)
    figures, base = (score(each[own], labels[own], subjects[own], classes) for each in (logits, student))
    if figures is None or base is None:
        raise ValueError(f'no window has a response of {name}')
    pairs = zip(figures['subjects'], base['subjects'])
    difference = paired_difference([100 * (one['accuracy'] - other['accuracy']) for one, other in pairs])
    return Standing(
        name=name,
        size=size,
        n=figures['n'],
        accuracy=figures['accuracy'],
        macro_f1=figures['macro_f1'],
        nll=figures['nll'],
        ece=figures['ece'],
        brier=brier_score(logits[own], labels[own]),
        student=base['accuracy'],
        difference=difference,
        verdict=judge(difference, difference.p, EQUIVALENCE),
    )


def _knowledge(
    row: int, names: Sequence[str], stacked: NDArray, student: NDArray, labels: NDArray, classes: Sequence[str]
) -> Knowledge:
    right, known = right_windows(stacked, labels), right_windows(student, labels)  # (T, n), (n, )
    own, several = np.isfinite(stacked[row]).all(1), len(names) > 1
    mine, base = right[row, own], known[own]
    changes = class_changes(mine, base, labels[own], classes)
    most, least = (choose(changes.items(), key=lambda item: item[1]) for choose in (max, min))
    without = adds = None
    if several:
        others = mean_response(np.delete(stacked, row, axis=0))  # (n, K)
        rest = np.isfinite(others).all(1)
        if rest.any():
            without = float(right_windows(others, labels)[rest].mean())
            adds = 100 * (float(right_windows(mean_response(stacked), labels)[rest].mean()) - without)
    return Knowledge(
        name=names[row],
        only=float(only_right(right)[row, own].mean()) if several else None,
        beyond=float((mine & ~base).mean()),
        behind=float((~mine & base).mean()),
        without=without,
        adds=adds,
        gain=most if most[1] > 0 else None,
        loss=least if least[1] < 0 else None,
    )


def _pair(names: tuple[str, str], logits: Mapping[str, NDArray], labels: NDArray) -> Pair:
    own = np.isfinite([logits[name] for name in names]).all((0, 2))
    if not own.any():
        return Pair(names, 0, None, None, None)
    one, other = (logits[name][own] for name in names)
    rights = right_windows(one, labels[own]), right_windows(other, labels[own])
    agreement = float((one.argmax(1) == other.argmax(1)).mean())
    return Pair(names, int(own.sum()), agreement, q_statistic(*rights), double_fault(*rights))


def _warning(standing: Standing, unit: str) -> str:
    """Say that a classifier is below the student alone, with both figures and with what can be told of the difference."""
    d = standing.difference
    subject = f"teacher '{standing.name}' is" if standing.name != ENSEMBLE else 'the ensemble of all teachers is'
    counts = f'{standing.n:,} windows of {d.n} {unit}{"s" * (d.n > 1)}'
    sentence = (
        f'{subject} below the student trained alone on validation: {100 * standing.accuracy:.2f} % against '
        f'{100 * standing.student:.2f} % of {counts}'
    )
    if d.low is None or d.high is None:
        return f'{sentence}; the difference cannot be told from none ({d.note.replace("subject", unit)})'
    interval = f'{format_points(d.mean or 0.0)} points, interval {format_points(d.low)} to {format_points(d.high)}'
    ends = {'undecided': ', which cannot be told from none', 'equivalent': f', which lies within ±{EQUIVALENCE:g}'}
    return f'{sentence}; over {unit}s the difference is {interval}{ends.get(standing.verdict, "")}'
