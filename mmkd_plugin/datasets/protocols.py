"""Protocols: the subjects of training, validation and test, fold by fold. Validation is always taken from training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmkd_plugin.registry import TASK_UTILS

from .names import natural

__all__ = ['FixedFolds', 'GroupedKFold', 'HoldOut', 'LeaveOneSubjectOut']


class Protocol:
    """Base of the protocols; a subclass gives the test subjects of every fold.

    Args:
        fold (int): Index of the fold, from 0.
        val (int | float): Validation subjects, taken from those that would train: their number, or a share of them (at least
            one). They follow the test subjects in order, so that every subject validates about equally often.

    Raises:
        ValueError: ``val`` is out of range.
    """

    def __init__(self, fold: int = 0, val: int | float = 1) -> None:
        if not val > 0 or (isinstance(val, float) and val >= 1):
            raise ValueError(f'val must be a number of subjects from 1 or a share below 1, got {val!r}')
        self.fold, self.val = fold, val

    def folds(self, subjects: Sequence[str]) -> list[list[str]]:
        """Return the test subjects of every fold."""
        raise NotImplementedError(f'{type(self).__name__} defines no folds()')

    def split(self, subjects: Sequence[str]) -> dict[str, list[str]]:
        """Return the subjects of the three splits.

        Args:
            subjects (Sequence[str]): All subjects.

        Returns:
            dict[str, list[str]]: ``train``, ``val`` and ``test``.

        Raises:
            ValueError: The fold does not exist, or no subject would be left to train.
        """
        subjects = sorted(subjects, key=natural)
        folds = self.folds(subjects)
        if not 0 <= self.fold < len(folds):
            raise ValueError(f'there are folds 0 to {len(folds) - 1} of {len(subjects)} subjects, got fold={self.fold}')
        test = folds[self.fold]
        after = subjects.index(max(test, key=subjects.index)) + 1
        rest = [s for s in subjects[after:] + subjects[:after] if s not in test]
        count = max(1, round(self.val * len(rest))) if isinstance(self.val, float) else self.val
        if count >= len(rest):
            raise ValueError(
                f'{len(subjects)} subjects, {len(test)} tested and {count} for validation: no subject is left to train'
            )
        return dict(train=sorted(rest[count:], key=natural), val=rest[:count], test=test)


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
        self.k, self.seed = k, seed

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
        if not 0 < test < 1:
            raise ValueError(f'test must be a share of the subjects, between 0 and 1; got {test!r}')
        self.test, self.seed = test, seed

    def folds(self, subjects: Sequence[str]) -> list[list[str]]:
        """Return the draws of all folds up to this one."""
        count = max(1, round(self.test * len(subjects)))
        draws = [np.random.default_rng(self.seed + fold).permutation(np.array(subjects)) for fold in range(self.fold + 1)]
        return [sorted(draw[:count].tolist(), key=natural) for draw in draws]


@TASK_UTILS.register_module()
class FixedFolds(Protocol):
    """Folds that a paper or an archive has published.

    Args:
        tested (list[list[str]]): Test subjects of every fold.
        **protocol: See :class:`Protocol`.
    """

    def __init__(self, tested: list[list[str]], **protocol) -> None:
        super().__init__(**protocol)
        self.tested = [[str(subject) for subject in fold] for fold in tested]

    def folds(self, subjects: Sequence[str]) -> list[list[str]]:
        """Return the given folds."""
        unknown = sorted({s for fold in self.tested for s in fold} - set(subjects))
        if unknown:
            raise ValueError(f'there is no subject {", ".join(unknown)}; the data have {", ".join(subjects)}')
        return self.tested
