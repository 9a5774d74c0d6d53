"""A sweep as it is written, and the runs that it stands for: all combinations of its axes that pass its filters."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .filters import Choice, check_filters, matches, plain_value, read_conditions, unknown_fault

__all__ = ['AXES', 'KEYS', 'Axis', 'Sweep', 'expand', 'parse_sweep', 'pick']

AXES = ('method', 'data', 'fold', 'seed')  # beside these, any dotted key of a config is an axis
BASE = (*AXES, 'quick')
KEYS = ('base', 'axes', 'where', 'repeats', 'fair')


@dataclass(frozen=True)
class Axis:
    """Values of one name.

    Attributes:
        values (tuple | str): The values; of the fold also 'all'.
        where (tuple[Mapping, ...]): The axis is there for runs that match one of these; empty for all runs.
    """

    values: tuple | str
    where: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Sweep:
    """What a file of ``configs/sweeps`` says, or the command line.

    Attributes:
        axes (dict[str, Axis]): What differs between runs.
        base (Choice): What all runs have in common: names of axes with one value each, and ``quick``.
        where (tuple[Mapping, ...]): A run is made if it matches one of these; empty for all runs.
        source (str): Where the sweep stands, for messages.
        fair (bool): On the same data, every method must have the same number of runs.
    """

    axes: dict[str, Axis]
    base: Choice = field(default_factory=dict)
    where: tuple[Mapping[str, Any], ...] = ()
    source: str = 'the sweep'
    fair: bool = False


def parse_sweep(content: Mapping[str, Any], source: str, settings: Sequence[str] = (), keys: Sequence[str] = KEYS) -> Sweep:
    """Check the content of a sweep's file.

    Args:
        content (Mapping): ``base``, ``axes``, ``where``, ``repeats`` and ``fair``; names that begin with an underscore are
            variables.
        source (str): The file, for messages.
        settings (Sequence[str]): Names at the top of a config, which may be set too, as 'teacher_dir'.
        keys (Sequence[str]): Names that the content may have; those that are no sweep's are not looked at.

    Raises:
        ConfigError: Something is unknown or of a wrong form; the message lists all faults.
    """
    from mmkd_plugin.fileio import ConfigError  # heavy: not at import

    faults = [
        f'{unknown_fault(name, keys, "key")}; a variable of your own begins with an underscore'
        for name in content
        if name not in keys and not name.startswith('_')
    ]
    base, axes = content.get('base') or {}, content.get('axes') or {}
    for kind, names in (('base', base), ('axes', axes)):
        known = BASE if kind == 'base' else AXES
        if not isinstance(names, Mapping):
            faults.append(f'{kind} must be a dict, got {names!r}')
        else:
            faults += [
                f'{kind}: {unknown_fault(name, known, "axis", settings)}, or any dotted key of a config'
                for name in names
                if name not in known and name not in settings and '.' not in name
            ]
    if not faults and not axes.get('method') and not base.get('method'):
        faults.append("axes has no method: axes = dict(method=['kd', 'at'], ...) names the configs")
    parsed: dict[str, Axis] = {}
    for name, values in axes.items() if isinstance(axes, Mapping) else ():
        if values is not None:  # a child config has dropped the axis
            axis, wrong = _axis(name, values)
            parsed[name], faults = axis, [*faults, *wrong]
    faults += _repeat(parsed, content.get('repeats', 1), base if isinstance(base, Mapping) else {})
    conditions, wrong = read_conditions(content.get('where'), 'where')
    fair = content.get('fair', False)
    if not isinstance(fair, bool):
        faults.append(f'fair must be True or False, got {fair!r}')
    if faults or wrong:
        raise ConfigError([*faults, *wrong], source)
    return Sweep(parsed, {k: plain_value(v) for k, v in base.items() if k not in parsed}, conditions, source, fair)


def _axis(name: str, values: Any) -> tuple[Axis, list[str]]:
    where: Any = None
    if isinstance(values, Mapping):
        unknown = [key for key in values if key not in ('values', 'where')]
        if unknown or 'values' not in values:
            return Axis(()), [f'axis {name}: {unknown_fault(", ".join(unknown) or "none", ("values", "where"), "key")}']
        values, where = values['values'], values.get('where')
    if name == 'fold' and values == 'all':
        conditions, wrong = read_conditions(where, f'axis {name}: where')
        return Axis('all', conditions), wrong
    if not isinstance(values, (list, tuple)) or not values:
        more = " or 'all'" if name == 'fold' else ''
        return Axis(()), [f'axis {name} must be a list of values{more}, got {values!r}']
    conditions, wrong = read_conditions(where, f'axis {name}: where')
    whole = [v for v in values if name in ('fold', 'seed') and (isinstance(v, bool) or not isinstance(v, int) or v < 0)]
    if whole:
        wrong.append(f'axis {name} must be whole numbers from 0, got {", ".join(map(repr, whole))}')
    return Axis(tuple(plain_value(value) for value in values), conditions), wrong


def _repeat(axes: dict[str, Axis], repeats: Any, base: Mapping[str, Any]) -> list[str]:
    """Turn ``repeats`` into seeds, one after another."""
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        return [f'repeats must be a whole number from 1, got {repeats!r}']
    if repeats > 1 and 'seed' in axes:
        return [f'repeats={repeats} makes every run with so many seeds; with an axis seed there is nothing to repeat']
    if 'seed' not in axes:
        first = base.get('seed', 0)
        axes['seed'] = Axis(tuple(range(first, first + repeats)))
    return []


def expand(sweep: Sweep, count_folds: Callable[[Choice], int]) -> list[Choice]:
    """Return the choices that a sweep stands for; those of the first seed and fold come first.

    Args:
        sweep (Sweep): From :func:`parse_sweep`.
        count_folds (Callable): Gives the number of folds of a choice's data, where the fold is 'all'.

    Raises:
        ConfigError: A filter names an axis or a value that no run has, no run is left, or a fair sweep has methods of
            different numbers of runs.
    """
    from mmkd_plugin.fileio import ConfigError  # heavy: not at import

    plain = {name: axis for name, axis in sweep.axes.items() if not axis.where and axis.values != 'all'}
    choices: list[Choice] = [
        {**sweep.base, **dict(zip(plain, values))} for values in itertools.product(*(axis.values for axis in plain.values()))
    ]
    for name, axis in sweep.axes.items():
        if name in plain:
            continue
        check_filters(axis.where, choices, f'axis {name}: where', sweep.source, sweep.axes)
        multiplied = []
        for choice in choices:
            if axis.where and not any(matches(choice, condition) for condition in axis.where):
                multiplied.append(choice)
                continue
            values = range(count_folds(choice)) if axis.values == 'all' else axis.values
            multiplied += [{**choice, name: value} for value in values]
        choices = multiplied
    check_filters(sweep.where, choices, 'where', sweep.source, sweep.axes)
    kept = [c for c in choices if not sweep.where or any(matches(c, condition) for condition in sweep.where)]
    if not kept:
        raise ConfigError('where: no run passes the filters', sweep.source)
    if sweep.fair:
        _check_fair(kept, sweep)
    order = {name: {repr(c.get(name)): i for i, c in reversed(list(enumerate(kept)))} for name in ('seed', 'fold', 'data')}
    return sorted(kept, key=lambda c: [order[name][repr(c.get(name))] for name in order])


def _check_fair(choices: Sequence[Choice], sweep: Sweep) -> None:
    """Refuse methods that have more runs on the same data than others: the best of many is better by luck alone."""
    from mmkd_plugin.fileio import ConfigError  # heavy: not at import

    counts: dict[str, Counter] = {}
    for choice in choices:
        counts.setdefault(repr(choice.get('data')), Counter())[choice['method']] += 1
    faults = []
    for data, by_method in counts.items():
        if len(set(by_method.values())) > 1:
            numbers = ', '.join(f'{method} has {count}' for method, count in by_method.items())
            where = '' if data == 'None' else f' on {data}'
            faults.append(f'fair=True: every method needs the same number of runs{where}; {numbers}')
    if faults:
        raise ConfigError(faults, sweep.source)


def pick(choices: Iterable[Choice], pairs: Mapping[str, Sequence[Any]]) -> list[Choice]:
    """Return the choices with given values, as ``--only`` names them.

    Args:
        choices (Iterable[Choice]): From :func:`expand`.
        pairs (Mapping[str, Sequence]): Values by axis; a choice must have one of them on every axis. A list, as of
            ``method=kd,crd``, stands for its members, unless lists are what the axis holds.

    Raises:
        ConfigError: No choice has such an axis or value.
    """
    choices = list(choices)
    of_lists = {name for choice in choices for name, value in choice.items() if isinstance(value, list)}
    conditions = ({name: _wanted(values, name in of_lists) for name, values in pairs.items()},) if pairs else ()
    check_filters(conditions, choices, '--only', 'the sweep')
    return [choice for choice in choices if all(matches(choice, condition) for condition in conditions)]


def _wanted(values: Iterable[Any], whole: bool) -> list:
    """Return values with the members of a list in its place, unless lists are whole values."""
    return [one for value in values for one in (value if isinstance(value, list) and not whole else [value])]
