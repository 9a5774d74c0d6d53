"""Options that several readers have."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ['check_chosen', 'check_grid', 'check_one']


def check_chosen(name: str, chosen: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """Return the names that an option chooses.

    Raises:
        ValueError: None is chosen, one twice, or one that is not allowed.
    """
    chosen, allowed = tuple(chosen), tuple(allowed)
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(allowed):
        raise ValueError(f'{name}: expected one or more of {", ".join(allowed)}, each once; got {chosen}')
    return chosen


def check_one(name: str, chosen: str, allowed: Iterable[str]) -> str:
    """Return the name that an option chooses.

    Raises:
        ValueError: The name is not allowed.
    """
    if chosen not in (allowed := tuple(allowed)):
        raise ValueError(f'{name}: expected {" or ".join(allowed)}; got {chosen!r}')
    return chosen


def check_grid(rate: float, max_gap: float) -> tuple[float, float]:
    """Return the rate of a grid in Hz, and the longest gap over which it goes on, in seconds.

    Raises:
        ValueError: One of them is not above 0.
    """
    if not (rate > 0 and max_gap > 0):
        raise ValueError(f'rate (Hz) and max_gap (seconds) must be above 0, got {rate} and {max_gap}')
    return rate, max_gap
