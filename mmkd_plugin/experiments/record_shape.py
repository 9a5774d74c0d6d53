"""What stands inside the fields of a record, as data, and a comparison of values with such a description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ['inside_fault']

LARGEST = 2**63  # whole numbers beyond fit into no array, and sums of larger figures are infinite


@dataclass(frozen=True)
class _Keys:
    """Shape of a mapping with keys of its own; other keys may be there too, and may hold anything.

    Attributes:
        needed (Mapping[str, Any]): Shapes by key.
        optional (Mapping[str, Any]): Of keys that may lack.
    """

    needed: Mapping[str, Any] = field(default_factory=dict)
    optional: Mapping[str, Any] = field(default_factory=dict)


NOTHING = type(None)
STATES = frozenset({'finished', 'failed', 'pruned'})
ROLES = frozenset({'teacher', 'student', 'learner', 'detector'})
COUNTS = {'n': int, 'correct': int}
METRICS = dict.fromkeys(('accuracy', 'macro_f1', 'balanced_accuracy', 'ece', 'nll', 'auroc'), float)
# Figures on the test split, see scores.score; those of a detector and of another program's log are fewer.
FIGURES = _Keys(
    optional={
        **{**COUNTS, **METRICS, 'absent': [str], 'confusion': [[int]]},
        'classes': [_Keys({'class': str, **COUNTS}, dict.fromkeys(('precision', 'recall', 'f1'), (float, NOTHING)))],
        'subjects': [_Keys({'subject': str}, {**COUNTS, **METRICS})],
    }
)
NETWORK = _Keys(
    {
        **{'name': str, 'role': ROLES, 'view': (str, NOTHING), 'params': (int, NOTHING), 'macs': (int, NOTHING)},
        **{'sha256': (str, NOTHING), 'val': (_Keys(optional=METRICS), NOTHING)},
        'test': _Keys({'best': (FIGURES, NOTHING), 'last': (FIGURES, NOTHING)}),
    }
)
SHARED = _Keys({'subject': str, 'n': int, 'agree': int, 'oracle': int, 'correct': {str: int}})
# What reports and sweeps read inside the fields.
INSIDE = _Keys(
    {
        **{'networks': [NETWORK], 'classes': [str], 'faults': [str], 'subjects': {str: [str]}, 'curves': {str: list}},
        **{'complementarity': {str: [SHARED]}, 'ended': _Keys({'state': STATES})},
        'fingerprints': _Keys(optional=dict.fromkeys(('config', 'data'), (str, NOTHING))),
        'code': _Keys(optional={'commit': (str, NOTHING), 'version': (str, NOTHING), 'imported': dict}),
        'process': _Keys(optional=dict.fromkeys(('seconds', 'peak_memory'), (float, NOTHING))),
        'windows': _Keys(optional={'lacking': ({str: dict}, NOTHING)}),
    }
)


def inside_fault(record: Mapping[str, Any]) -> str | None:
    """Say what a record holds inside its fields that no run can have written; None for a whole record.

    Args:
        record (Mapping[str, Any]): With all fields, of the right types.
    """
    return _shape_fault(record, INSIDE, 'the record') or _figures_fault(record)


def _figures_fault(record: Mapping[str, Any]) -> str | None:
    """Say which figures of a network cannot be."""
    for row in record['networks']:
        for which, split in row['test'].items():
            split = split or {}
            if split.get('n', 1) < 1 or ('confusion' in split and not _counts_windows(split, len(record['classes']))):
                return (
                    f'test.{which} of {row["name"]} must be of at least one window, and its confusion the windows by true and '
                    f'predicted class of {len(record["classes"])}, as many as n and, where right, as correct'
                )
    return None


def _counts_windows(split: Mapping[str, Any], classes: int) -> bool:
    table = split['confusion']
    if len(table) != classes or any(len(line) != classes or min(line) < 0 for line in table):
        return False
    return split.get('n') == sum(map(sum, table)) and split.get('correct') == sum(line[i] for i, line in enumerate(table))


def _shape_fault(value: Any, shape: Any, where: str) -> str | None:
    """Say what is wrong with a value that was read from JSON.

    Args:
        value (Any): The value.
        shape (Any): A type (``float`` is any finite number); a tuple of shapes, of which one must fit; a frozenset of texts, of
            which the value must be one; a list with the shape of all entries; a dict of one pair, with the shape of all values
            under the key ``str``; or :class:`_Keys`.
        where (str): Name of the value.

    Returns:
        str, optional: A sentence about the first fault; None where there is none.
    """
    if isinstance(shape, tuple):
        faults = [fault for each in shape if (fault := _shape_fault(value, each, where))]
        # Of several, one inside of the value says more than one about its type.
        inside = [fault for fault in faults if not fault.startswith(f'{where} ')]
        return None if len(faults) < len(shape) else [*inside, *faults][0]
    if isinstance(shape, frozenset):
        fits = isinstance(value, str) and value in shape
        return None if fits else f'{where} must be one of {", ".join(sorted(shape))}, got {_spell(value)}'
    if isinstance(shape, type):
        return None if _is(value, shape) else f'{where} must be {_name(shape)}, got {_spell(value)}'
    kind = list if isinstance(shape, list) else dict
    if type(value) is not kind:
        return f'{where} must be {_name(kind)}, got {_spell(value)}'
    if isinstance(shape, list):
        pairs = [(f'{where}[{place}]', entry, shape[0]) for place, entry in enumerate(value)]
    elif isinstance(shape, dict):
        pairs = [(f'{where}.{key}', entry, shape[str]) for key, entry in dict(value).items()]
    else:
        missing = [key for key in shape.needed if key not in value]
        if missing:
            return f'{where} has no {missing[0]}'
        known = {**shape.needed, **shape.optional}
        pairs = [(f'{where}.{key}', value[key], known[key]) for key in known if key in value]
    return next((fault for name, entry, each in pairs if (fault := _shape_fault(entry, each, name))), None)


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        return _is(value, int) or (isinstance(value, float) and abs(value) < LARGEST)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST
    return isinstance(value, kind)


def _name(kind: type) -> str:
    names = {float: 'a finite number', int: 'a whole number', str: 'a text', list: 'a list', dict: 'a dict', type(None): 'null'}
    return names.get(kind, kind.__name__)


def _spell(value: Any) -> str:
    text = repr(value) if not isinstance(value, int) or abs(value) < LARGEST else 'a number of many digits'
    return text if len(text) < 60 else f'{text[:60]}…'
