"""Splits by subject: nobody's windows stand in two of train, validation and test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import combinations

from mmkd_plugin.registry import TASK_UTILS

__all__ = ['SPLITS', 'resolve_subjects']

SPLITS = ('train', 'val', 'test')


def resolve_subjects(wanted: Mapping[str, Iterable[str]], known: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Subjects of every split, patterns written out.

    Args:
        wanted (Mapping): ``{'train': [...], 'val': [...], 'test': [...]}``, each a list of subjects or of patterns like
            ``'test_*'``; or the config of a protocol, ``dict(type='LeaveOneSubjectOut', fold=3)``.
        known (Iterable[str]): Subjects of the data.

    Returns:
        dict[str, tuple[str, ...]]: The same, sorted.

    Raises:
        ValueError: A split is missing or empty, a subject is unknown, or stands in two splits.
    """
    known = sorted(set(known))
    if 'type' in wanted:
        wanted = TASK_UTILS.build(dict(wanted)).split(known)
    if set(wanted) != set(SPLITS):
        raise ValueError(f'subjects must say who is in {", ".join(SPLITS)}, got {", ".join(wanted) or "nothing"}')
    found = {}
    for split in SPLITS:
        patterns = [str(pattern) for pattern in wanted[split]]
        for pattern in patterns:
            if not any(fnmatchcase(subject, pattern) for subject in known):
                some = ', '.join(known[:30]) + (f' and {len(known) - 30} more' if len(known) > 30 else '')
                raise ValueError(f"{split} split: there is no subject '{pattern}'; the data have {some}")
        found[split] = tuple(subject for subject in known if any(fnmatchcase(subject, pattern) for pattern in patterns))
        if not found[split]:
            raise ValueError(f'the {split} split is empty: it names no subject')
    for one, other in combinations(SPLITS, 2):
        shared = sorted(set(found[one]) & set(found[other]))
        if shared:
            raise ValueError(f'subject(s) {", ".join(shared)} stand in both the {one} and the {other} split')
    return found
