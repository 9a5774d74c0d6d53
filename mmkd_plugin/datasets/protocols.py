"""Protocols: the subjects of training, validation and test, fold by fold. Validation is always taken from training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmkd_plugin.registry import TASK_UTILS

from .names import list_names, natural

__all__ = ['FixedFolds', 'GroupedKFold', 'HoldOut', 'LeaveOneSubjectOut']


class Protocol:
    """Base of the protocols; a subclass gives the test subjects of every fold.

    Args:
        fold (int): Index of the fold, from 0.
        val (int | float | list[str]): Validation subjects, taken from those that would train: their number, a share of them
            (at least one), or their names. Where they are not named, they follow the test subjects in order, so that every
            subject validates about equally often.
        by (str): What a share is of: 'subjects', or 'windows', for subjects that were recorded for very different times. As
            many subjects validate then as are needed to have that share of the windows.

    Raises:
        ValueError: ``val`` is out of range, ``by`` is unknown, or ``fold`` is no whole number.
    """

    def __init__(self, fold: int = 0, val: int | float | Sequence[str] = 1, by: str = 'subjects') -> None:
        if not _is_val(val):
            raise ValueError(f'val must be a number of subjects from 1, a share below 1, or a list of names; got {val!r}')
        if by not in ('subjects', 'windows') or (by == 'windows' and not isinstance(val, float)):
            raise ValueError(f"by must be 'subjects', or 'windows' where val is a share; got by={by!r} and val={val!r}")
        self.fold, self.val, self.by = _whole('fold', fold), val, by

    def folds(self, subjects: Sequence[str]) -> list[list[str]]:
        """Return the test subjects of every fold."""
        raise NotImplementedError(f'{type(self).__name__} defines no folds()')

    def test_subjects(self, subjects: Sequence[str]) -> list[str]:
        """Return the test subjects of this fold."""
        folds = self.folds(subjects)
        if not 0 <= self.fold < len(folds):
            raise ValueError(f'there are folds 0 to {len(folds) - 1} of {len(subjects)} subjects, got fold={self.fold}')
        return folds[self.fold]

    def split(self, subjects: Sequence[str], windows: Mapping[str, int] | None = None) -> dict[str, list[str]]:
        """Return the subjects of the three splits.

        Args:
            subjects (Sequence[str]): All subjects.
            windows (Mapping[str, int], optional): Number of windows of each, for ``by='windows'``.

        Returns:
            dict[str, list[str]]: ``train``, ``val`` and ``test``.

        Raises:
            ValueError: The fold does not exist, a validation subject is unknown or tested, or no subject would be left to
                train.
        """
        subjects = sorted(subjects, key=natural)
        test = self.test_subjects(subjects)
        after = subjects.index(max(test, key=subjects.index)) + 1
        rest = [s for s in subjects[after:] + subjects[:after] if s not in test]
        val = self._validating(rest, test, subjects, windows)
        train = [subject for subject in rest if subject not in val]
        if not train:
            raise ValueError(
                f'{len(subjects)} subjects, {len(test)} tested and {len(val)} for validation: no subject is left to train'
            )
        return dict(train=sorted(train, key=natural), val=val, test=test)

    def _validating(
        self, rest: list[str], test: list[str], subjects: Sequence[str], windows: Mapping[str, int] | None
    ) -> list[str]:
        """Return the validation subjects among those that are not tested, which are in the order of their turn."""
        if isinstance(self.val, int):
            return rest[: self.val]
        if isinstance(self.val, float):
            if self.by == 'subjects':
                return rest[: max(1, round(self.val * len(rest)))]
            if windows is None:
                raise ValueError("by='windows' needs the number of windows of each subject, which WindowDataset gives")
            counts = np.cumsum([windows[subject] for subject in rest])
            return rest[: int(np.searchsorted(counts, self.val * counts[-1])) + 1]
        names = list(dict.fromkeys(map(str, self.val)))
        unknown, tested = ([name for name in names if name not in subjects], [name for name in names if name in test])
        if unknown:
            raise ValueError(f'val: there is no subject {", ".join(unknown)}; the data have {list_names(subjects, 30)}')
        if tested:
            raise ValueError(f'val: subject {", ".join(tested)} is tested in fold {self.fold}, and cannot validate there')
        return names


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f'{name} of a protocol must be a whole number, got {value!r}')
    return value


def _is_val(val: object) -> bool:
    if isinstance(val, (list, tuple)):
        return len(val) > 0 and not any(isinstance(name, (list, tuple)) for name in val)
    if isinstance(val, float):
        return 0 < val < 1
    return isinstance(val, int) and not isinstance(val, bool) and val >= 1


@TASK_UTILS.register_module()
class LeaveOneSubjectOut(Protocol):
    """Folds of one test subject each; fold i tests subject i in natural order."""

    def folds(self, subjects: Sequence[str]) -> list[list[str]]:
        """Return one subject for each fold."""
        return [[subject] for subject in subjects]


@TASK_UTILS.register_module()
class GroupedKFold(Protocol):
    """Subjects in k groups of about the same size, shuffled once by the seed.

    Args:
        k (int): Number of folds.
        seed (int): Seed of the shuffle.
        **protocol: See :class:`Protocol`.
    """

    def __init__(self, k: int = 5, seed: int = 0, **protocol) -> None:
        super().__init__(**protocol)
        self.k, self.seed = _whole('k', k), _whole('seed', seed)

    def folds(self, subjects: Sequence[str]) -> list[list[str]]:
        """Return k groups of subjects."""
        if not 2 <= self.k <= len(subjects):
            raise ValueError(f'k must be from 2 to the number of subjects, {len(subjects)}; got {self.k}')
        shuffled = np.random.default_rng(self.seed).permutation(np.array(subjects))
        return [sorted(part.tolist(), key=natural) for part in np.array_split(shuffled, self.k)]


@TASK_UTILS.register_module()
class HoldOut(Protocol):
    """A random share of the subjects for the test; the fold is added to the seed.

    Args:
        test (float): Share of the subjects, at least one.
        seed (int): Seed of the draw.
        **protocol: See :class:`Protocol`.
    """

    def __init__(self, test: float = 0.2, seed: int = 0, **protocol) -> None:
        super().__init__(**protocol)
        if not isinstance(test, float) or not 0 < test < 1:
            raise ValueError(f'test must be a share of the subjects, between 0 and 1; got {test!r}')
        self.test, self.seed = test, _whole('seed', seed)

    def test_subjects(self, subjects: Sequence[str]) -> list[str]:
        """Return the draw of this fold; there is one for every number."""
        if self.fold < 0:
            raise ValueError(f'the fold of a hold-out is a number from 0, got fold={self.fold}')
        draw = np.random.default_rng(self.seed + self.fold).permutation(np.array(subjects))
        return sorted(draw[: max(1, round(self.test * len(subjects)))].tolist(), key=natural)


@TASK_UTILS.register_module()
class FixedFolds(Protocol):
    """Folds that a paper or an archive has published.

    Args:
        tested (list[list[str]]): Test subjects of every fold.
        fold (int): Index of the fold, from 0.
        val (int | float | list[str] | list[list[str]]): See :class:`Protocol`; or a list of names for every fold.
        **protocol: See :class:`Protocol`.

    Raises:
        ValueError: There are not as many lists of validation subjects as folds; or see :class:`Protocol`.
    """

    def __init__(self, tested: list[list[str]], fold: int = 0, val: Any = 1, **protocol) -> None:
        if isinstance(val, (list, tuple)) and any(isinstance(names, (list, tuple)) for names in val):
            if len(val) != len(tested):
                raise ValueError(f'val has the subjects of {len(val)} folds, tested those of {len(tested)}')
            val = val[fold if fold in range(len(val)) else 0]  # a fold that does not exist is refused where subjects are split
        super().__init__(fold, val, **protocol)
        self.tested = [[str(subject) for subject in each] for each in tested]

    def folds(self, subjects: Sequence[str]) -> list[list[str]]:
        """Return the given folds."""
        unknown = sorted({s for fold in self.tested for s in fold} - set(subjects))
        if unknown:
            raise ValueError(f'there is no subject {", ".join(unknown)}; the data have {", ".join(subjects)}')
        return self.tested
