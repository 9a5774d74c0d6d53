"""Splits by subject: no subject is in two of training, validation and test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import combinations

from mmkd_plugin.registry import TASK_UTILS

from .names import list_names

__all__ = ['SPLITS', 'resolve_subjects']

SPLITS = ('train', 'val', 'test')


def resolve_subjects(
    wanted: Mapping[str, Iterable[str]], known: Iterable[str], windows: Callable[[], Mapping[str, int]] | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the subjects of every split, with all patterns resolved.

    Args:
        wanted (Mapping): ``{'train': [...], 'val': [...], 'test': [...]}``, each a list of subjects or of patterns like
            ``'test_*'``, where the data have no subject of exactly that name; or the config of a protocol,
            ``dict(type='LeaveOneSubjectOut', fold=3)``.
        known (Iterable[str]): Subjects of the data.
        windows (Callable[[], Mapping[str, int]], optional): Gives the number of windows of each subject, for a protocol that
            counts them.

    Returns:
        dict[str, tuple[str, ...]]: Sorted subjects of each split.

    Raises:
        ValueError: A split is missing or empty, or a subject is unknown or in two splits.
    """
    known = sorted(set(known))
    if 'type' in wanted:
        protocol = TASK_UTILS.build(dict(wanted))
        wanted = protocol.split(known, windows()) if windows and protocol.by == 'windows' else protocol.split(known)
    if set(wanted) != set(SPLITS):
        raise ValueError(f'subjects must have the keys {", ".join(SPLITS)}, got {", ".join(wanted) or "none"}')
    resolved = {}
    for split in SPLITS:
        patterns = [str(pattern) for pattern in wanted[split]]
        for pattern in patterns:
            if not _matching(pattern, known):
                raise ValueError(f"{split} split: there is no subject '{pattern}'; the data have {list_names(known, 30)}")
        members = {subject for pattern in patterns for subject in _matching(pattern, known)}
        resolved[split] = tuple(sorted(members))
        if not resolved[split]:
            raise ValueError(f'the {split} split is empty: it names no subject')
    for one, other in combinations(SPLITS, 2):
        shared = sorted(set(resolved[one]) & set(resolved[other]))
        if shared:
            raise ValueError(f'subject(s) {", ".join(shared)} are in both the {one} and the {other} split')
    return resolved


def _matching(pattern: str, known: list[str]) -> list[str]:
    """Return the subject of that very name, which may hold brackets and stars, or else those that match the pattern."""
    return [pattern] if pattern in known else [subject for subject in known if fnmatchcase(subject, pattern)]
