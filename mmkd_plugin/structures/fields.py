"""Entries of a config as frozen dataclasses: an unknown field or an impossible value is refused by name."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Collection, Iterable, Mapping
from numbers import Integral
from typing import Any, TypeVar

__all__ = ['build_fields', 'check_number', 'check_variant', 'check_whole', 'field_faults', 'suggest', 'unknown_name']

T = TypeVar('T')


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the question for the nearest known name, ``" did you mean 'weight'?"``; empty where no name is near.

    Args:
        name (str): As it was written.
        known (Iterable[str]): Names that are accepted.
    """
    near = difflib.get_close_matches(str(name), [str(candidate) for candidate in known], 1)
    return f"did you mean '{near[0]}'?" if near else ''


def unknown_name(kind: str, name: str, known: Collection[str]) -> str:
    """Return the sentence for a name that is not among the known ones.

    Args:
        kind (str): Thing that bears the name, as 'network'.
        name (str): As it was written.
        known (Collection[str]): Names that are accepted.
    """
    question = suggest(name, known)
    names = f'{kind}s are {", ".join(known)}' if known else f'config has no {kind}'
    return f"there is no {kind} '{name}'; {question}{' The' if question else 'the'} {names}"


def field_faults(cls: type, cfg: Any, where: str) -> list[str]:
    """List the faults of a config that stands for a dataclass.

    Args:
        cls (type): A dataclass. Its ``__post_init__`` raises a ValueError for an impossible value.
        cfg (Any): Fields by name, as they stand in a config.
        where (str): Name of the entry for messages, as ``"learner 'student'"``.

    Returns:
        list[str]: One sentence for each fault; empty for a good config.
    """
    if not isinstance(cfg, Mapping):
        return [f'{where} must be a dict of fields, got {cfg!r}']
    fields = [field for field in dataclasses.fields(cls) if field.init]
    names = [field.name for field in fields]
    faults = []
    for name in cfg:
        if name not in names:
            faults.append(f'{where}: {unknown_name("field", name, names)}')
    missing = [
        field.name
        for field in fields
        if field.name not in cfg and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        faults.append(f'{where} needs {", ".join(missing)}')
    if not faults:
        try:
            cls(**cfg)
        except (TypeError, ValueError) as error:
            faults.append(f'{where}: {error}')
    return faults


def build_fields(cls: type[T], cfg: Any, where: str) -> T:
    """Build a dataclass from its entry in a config.

    Args:
        cls (type): A dataclass.
        cfg (Any): Fields by name; an object of the class is returned as it is.
        where (str): Name of the entry for messages.

    Returns:
        T: An object of the class.

    Raises:
        ValueError: A field is unknown, missing or has an impossible value; the message has a line for each fault.
    """
    if isinstance(cfg, cls):
        return cfg
    faults = field_faults(cls, cfg, where)
    if faults:
        raise ValueError('\n'.join(faults))
    return cls(**cfg)


def check_number(name: str, value: object, low: float = 0.0, high: float = math.inf, above: float = -math.inf) -> float:
    """Return a number of a config as a float.

    Args:
        name (str): Name of the value for the message.
        value (object): As it stands in the config.
        low (float): Least value, included.
        high (float): Greatest value, included where finite.
        above (float): The value must lie above this; takes the place of ``low`` in the message.

    Raises:
        ValueError: The value is no number (a bool is none), not finite, or out of range.
    """
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if not math.isfinite(number) or not low <= number <= high or not number > above:
        span = f'of at least {low:g}' if math.isinf(high) else f'from {low:g} to {high:g}'
        span = span if math.isinf(above) else f'above {above:g}'
        raise ValueError(f'{name} must be a number {span}, got {value!r}')
    return float(number)


def check_whole(name: str, value: Any, least: int = 1) -> int:
    """Return a whole number as an int; one of numpy passes.

    Raises:
        ValueError: The value is no whole number (a bool is none), or below the least.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f'{name} must be a whole number, at least {least}, got {value!r}')
    return int(value)


def check_variant(variant: str, name: str = 'variant') -> str:
    """Return the variant of a method, the definition of its paper or of its published code.

    Args:
        variant (str): 'paper' or 'reference'.
        name (str): Name of the argument for the message.

    Raises:
        ValueError: The variant is unknown.
    """
    if variant not in ('paper', 'reference'):
        raise ValueError(f"{name} must be 'paper' or 'reference', got {variant!r}")
    return variant
