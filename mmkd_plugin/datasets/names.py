"""Names in natural order, and lists of them for messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ['list_names', 'natural']


def natural(name: str) -> list:
    """Return the key of an order in which '9' comes before '10'."""
    return [int(part) if part.isdigit() else part for part in re.split(r'(\d+)', name)]


def list_names(names: Sequence[str], most: int = 8) -> str:
    """Join names by commas; of more than ``most``, the first ones and the last are shown."""
    if len(names) > most:
        names = [*names[: most - 2], f'… {names[-1]}']
    return ', '.join(names)
