"""Filters of runs, as data: a run fits if it has the wanted values on every axis that a condition names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ['Choice', 'check_filters', 'matches', 'plain_value', 'read_conditions', 'unknown_fault']

Choice = dict[str, Any]  # value by name of the axis
LIMITS = ('min', 'max', 'except')


def unknown_fault(name: str, known: Sequence[str], kind: str, more: Sequence[str] = ()) -> str:
    """Return the sentence for an unknown name, with the nearest of the known ones and of more that are not listed."""
    from mmkd_plugin.structures import suggest  # heavy: not at import

    question = suggest(name, [*known, *more])
    plural = 'axes' if kind == 'axis' else f'{kind}s'
    return f"there is no {kind} '{name}'; {question}{' ' if question else ''}{plural} are {', '.join(known)}"


def plain_value(value: Any) -> Any:
    """Return a value without the host's types of dict and list."""
    if isinstance(value, Mapping):
        return {str(key): plain_value(entry) for key, entry in value.items()}
    return [plain_value(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def read_conditions(where: Any, title: str) -> tuple[tuple[Mapping[str, Any], ...], list[str]]:
    """Return filters as a tuple of conditions, and what is wrong with them."""
    conditions = [where] if isinstance(where, Mapping) else list(where or ())
    faults = []
    for condition in conditions:
        if not isinstance(condition, Mapping) or not condition:
            faults.append(f"{title}: a filter is a dict of axes, as dict(method='kd', fold=[0, 1]); got {condition!r}")
            continue
        for name, wanted in condition.items():
            if isinstance(wanted, Mapping):
                faults += [f'{title}: {name}: {unknown_fault(key, LIMITS, "filter")}' for key in wanted if key not in LIMITS]
    return tuple(plain_value(condition) for condition in conditions), faults


def check_filters(
    conditions: Sequence[Mapping], choices: Sequence[Choice], title: str, source: str, axes: Iterable[str] = ()
) -> None:
    """Refuse filters that speak of axes or values which no run has: they would filter nothing, or everything.

    Args:
        conditions (Sequence[Mapping]): From :func:`read_conditions`.
        choices (Sequence[Choice]): Of all runs.
        title (str): Of the filters, for messages.
        source (str): Where they stand, likewise.
        axes (Iterable[str]): Names that may be spoken of beside those of the choices.

    Raises:
        ConfigError: A filter names an axis or a value that no run has.
    """
    from mmkd_plugin.fileio import ConfigError  # heavy: not at import
    from mmkd_plugin.structures import suggest

    names = dict.fromkeys([*(name for choice in choices for name in choice), *axes])
    faults = []
    for condition in conditions:
        for name, wanted in condition.items():
            if name not in names:
                faults.append(f'{title}: {unknown_fault(name, list(names), "axis")}')
                continue
            values = list({repr(choice[name]): choice[name] for choice in choices if name in choice}.values())
            for value in _listed(wanted):
                if not any(_same(name, own, value) for own in values):
                    question = suggest(str(value), map(str, values))
                    listed = ', '.join(map(str, values))
                    faults.append(f'{title}: no run has {name}={value}; {question}{" " if question else ""}{name} is {listed}')
    if faults:
        raise ConfigError(faults, source)


def _listed(wanted: Any) -> list:
    """Return the values that a condition names, without its limits."""
    if isinstance(wanted, Mapping):
        wanted = wanted.get('except', [])
    return wanted if isinstance(wanted, list) else [wanted]


def matches(choice: Choice, condition: Mapping[str, Any]) -> bool:
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
