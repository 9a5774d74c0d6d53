"""Names in natural order, and lists of them for messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ['list_names', 'natural']


def natural(name: str) -> tuple[list, str]:
    """Return the key of an order in which '9' comes before '10'.

    The text itself decides between '1' and '01', so that the order of different names never depends on that of a set. Digits
    are compared as texts, which may have any length.
    """
    parts: list = re.split(r'(\d+)', name)
    for index in range(1, len(parts), 2):
        digits = parts[index].lstrip('0')
        parts[index] = (len(digits), digits)
    return parts, name


def list_names(names: Sequence[str], most: int = 8) -> str:
    """Join names by commas; of more than ``most``, the first ones and the last are shown."""
    if len(names) > most:
        names = [*names[: most - 2], f'… {names[-1]}']
    return ', '.join(names)
