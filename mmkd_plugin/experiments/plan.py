"""A sweep as it is written, and the runs that it stands for: all combinations of its axes that pass its filters."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ['AXES', 'Axis', 'Sweep', 'expand', 'parse_sweep', 'pick']

Choice = dict[str, Any]  # value by name of the axis
AXES = ('method', 'data', 'fold', 'seed')  # beside these, any dotted key of a config is an axis
BASE = (*AXES, 'quick')
KEYS = ('base', 'axes', 'where', 'repeats')
LIMITS = ('min', 'max', 'except')


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
    """

    axes: dict[str, Axis]
    base: Choice = field(default_factory=dict)
    where: tuple[Mapping[str, Any], ...] = ()
    source: str = 'the sweep'


def parse_sweep(content: Mapping[str, Any], source: str, settings: Sequence[str] = ()) -> Sweep:
    """Check the content of a sweep's file.

    Args:
        content (Mapping): ``base``, ``axes``, ``where`` and ``repeats``; names that begin with an underscore are variables.
        source (str): The file, for messages.
        settings (Sequence[str]): Names at the top of a config, which may be set too, as 'teacher_dir'.

    Raises:
        ConfigError: Something is unknown or of a wrong form; the message lists all faults.
    """
    from mmkd_plugin.fileio import ConfigError  # heavy: not at import

    faults = [
        f'{_unknown(name, KEYS, "key")}; a variable of your own begins with an underscore'
        for name in content
        if name not in KEYS and not name.startswith('_')
    ]
    base, axes = content.get('base') or {}, content.get('axes') or {}
    for kind, names in (('base', base), ('axes', axes)):
        known = BASE if kind == 'base' else AXES
        if not isinstance(names, Mapping):
            faults.append(f'{kind} must be a dict, got {names!r}')
        else:
            faults += [
                f'{kind}: {_unknown(name, known, "axis", settings)}, or any dotted key of a config'
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
    conditions, wrong = _conditions(content.get('where'), 'where')
    if faults or wrong:
        raise ConfigError([*faults, *wrong], source)
    return Sweep(parsed, {k: _plain(v) for k, v in base.items() if k not in parsed}, conditions, source)


def _unknown(name: str, known: Sequence[str], kind: str, more: Sequence[str] = ()) -> str:
    from mmkd_plugin.structures import suggest  # heavy: not at import

    question = suggest(name, [*known, *more])
    plural = 'axes' if kind == 'axis' else f'{kind}s'
    return f"there is no {kind} '{name}'; {question}{' ' if question else ''}{plural} are {', '.join(known)}"


def _axis(name: str, values: Any) -> tuple[Axis, list[str]]:
    where: Any = None
    if isinstance(values, Mapping):
        unknown = [key for key in values if key not in ('values', 'where')]
        if unknown or 'values' not in values:
            return Axis(()), [f'axis {name}: {_unknown(", ".join(unknown) or "none", ("values", "where"), "key")}']
        values, where = values['values'], values.get('where')
    if name == 'fold' and values == 'all':
        conditions, wrong = _conditions(where, f'axis {name}: where')
        return Axis('all', conditions), wrong
    if not isinstance(values, (list, tuple)) or not values:
        more = " or 'all'" if name == 'fold' else ''
        return Axis(()), [f'axis {name} must be a list of values{more}, got {values!r}']
    conditions, wrong = _conditions(where, f'axis {name}: where')
    whole = [v for v in values if name in ('fold', 'seed') and (isinstance(v, bool) or not isinstance(v, int) or v < 0)]
    if whole:
        wrong.append(f'axis {name} must be whole numbers from 0, got {", ".join(map(repr, whole))}')
    return Axis(tuple(_plain(value) for value in values), conditions), wrong


def _plain(value: Any) -> Any:
    """Return a value without the host's types of dict and list."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _conditions(where: Any, title: str) -> tuple[tuple[Mapping[str, Any], ...], list[str]]:
    """Return filters as a tuple of conditions, and what is wrong with them."""
    conditions = [where] if isinstance(where, Mapping) else list(where or ())
    faults = []
    for condition in conditions:
        if not isinstance(condition, Mapping) or not condition:
            faults.append(f"{title}: a filter is a dict of axes, as dict(method='kd', fold=[0, 1]); got {condition!r}")
            continue
        for name, wanted in condition.items():
            if isinstance(wanted, Mapping):
                faults += [f'{title}: {name}: {_unknown(key, LIMITS, "filter")}' for key in wanted if key not in LIMITS]
    return tuple(_plain(condition) for condition in conditions), faults


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
        ConfigError: A filter names an axis or a value that no run has, or no run is left.
    """
    from mmkd_plugin.fileio import ConfigError  # heavy: not at import

    plain = {name: axis for name, axis in sweep.axes.items() if not axis.where and axis.values != 'all'}
    choices: list[Choice] = [
        {**sweep.base, **dict(zip(plain, values))} for values in itertools.product(*(axis.values for axis in plain.values()))
    ]
    for name, axis in sweep.axes.items():
        if name in plain:
            continue
        _check_filters(axis.where, choices, f'axis {name}: where', sweep)
        multiplied = []
        for choice in choices:
            if axis.where and not any(_matches(choice, condition) for condition in axis.where):
                multiplied.append(choice)
                continue
            values = range(count_folds(choice)) if axis.values == 'all' else axis.values
            multiplied += [{**choice, name: value} for value in values]
        choices = multiplied
    _check_filters(sweep.where, choices, 'where', sweep)
    kept = [c for c in choices if not sweep.where or any(_matches(c, condition) for condition in sweep.where)]
    if not kept:
        raise ConfigError('where: no run passes the filters', sweep.source)
    order = {name: {repr(c.get(name)): i for i, c in reversed(list(enumerate(kept)))} for name in ('seed', 'fold', 'data')}
    return sorted(kept, key=lambda c: [order[name][repr(c.get(name))] for name in order])


def pick(choices: Iterable[Choice], pairs: Mapping[str, Sequence[Any]]) -> list[Choice]:
    """Return the choices with given values, as ``--only`` names them.

    Args:
        choices (Iterable[Choice]): From :func:`expand`.
        pairs (Mapping[str, Sequence]): Values by axis; a choice must have one of them on every axis.

    Raises:
        ConfigError: No choice has such an axis or value.
    """
    choices = list(choices)
    conditions = ({name: list(values) for name, values in pairs.items()},) if pairs else ()
    _check_filters(conditions, choices, '--only', Sweep({}))
    return [choice for choice in choices if all(_matches(choice, condition) for condition in conditions)]


def _check_filters(conditions: Sequence[Mapping], choices: Sequence[Choice], title: str, sweep: Sweep) -> None:
    """Refuse filters that speak of axes or values which no run has: they would filter nothing, or everything."""
    from mmkd_plugin.fileio import ConfigError  # heavy: not at import
    from mmkd_plugin.structures import suggest

    names = dict.fromkeys([*(name for choice in choices for name in choice), *sweep.axes])
    faults = []
    for condition in conditions:
        for name, wanted in condition.items():
            if name not in names:
                faults.append(f'{title}: {_unknown(name, list(names), "axis")}')
                continue
            values = list({repr(choice[name]): choice[name] for choice in choices if name in choice}.values())
            for value in _listed(wanted):
                if not any(_same(name, own, value) for own in values):
                    question = suggest(str(value), map(str, values))
                    listed = ', '.join(map(str, values))
                    faults.append(f'{title}: no run has {name}={value}; {question}{" " if question else ""}{name} is {listed}')
    if faults:
        raise ConfigError(faults, sweep.source)


def _listed(wanted: Any) -> list:
    """Return the values that a condition names, without its limits."""
    if isinstance(wanted, Mapping):
        wanted = wanted.get('except', [])
    return wanted if isinstance(wanted, list) else [wanted]


def _matches(choice: Choice, condition: Mapping[str, Any]) -> bool:
    """Return whether a choice has, on every axis of a condition, one of the wanted values or one within the limits."""
    return all(_fits(name, choice, wanted) for name, wanted in condition.items())


def _fits(name: str, choice: Choice, wanted: Any) -> bool:
    listed = name in choice and any(_same(name, choice[name], value) for value in _listed(wanted))
    if not isinstance(wanted, Mapping):
        return listed
    value, limited = choice.get(name), 'min' in wanted or 'max' in wanted
    if listed or (limited and (isinstance(value, bool) or not isinstance(value, (int, float)))):
        return False
    return not limited or wanted.get('min', value) <= value <= wanted.get('max', value)


def _same(name: str, own: Any, other: Any) -> bool:
    """Return whether two values are one: a config or data may be named by path or by name."""
    if own == other and isinstance(own, bool) == isinstance(other, bool):
        return True
    return name in ('method', 'data') and Path(str(own)).stem == str(other)
