"""Names in natural order, names that look alike, words for no name, and lists of names for messages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ['NOBODY', 'find_alike', 'is_missing', 'list_names', 'natural']

# In lower case: how pandas, Excel ('#n/a'), C ('-nan'), databases ('\\n') and ARFF ('?') write that there is no value.
MISSING = ('', 'na', 'n/a', '<na>', 'nan', '-nan', 'nat', 'none', 'null', '#n/a', '#na', '\\n', '?')
NOBODY = (
    '',
    'NaN',
    'nan',
    '<NA>',
    'NaT',
    'None',
    'null',
    'NULL',
    '#N/A',
    '-nan',
    '\\N',
    '?',
)  # no subject, in this case only: Na and Nan are people's names


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


def is_missing(text: str) -> bool:
    """Return whether a text is one of the usual words for a missing value, such as 'NaN', 'None' and ''."""
    return text.strip().lower() in MISSING


def find_alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return groups of different names that may be one: '1', '01' and '1.0', 'Walk' and 'walk', 'S1' and 'S_1', two of 'é'."""
    groups: dict[str, list[str]] = {}
    for name in sorted(set(names), key=natural):
        groups.setdefault(_plain(name), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _plain(name: str) -> str:
    """Return a name without case, Unicode form, separators, invisible letters, leading zeros, and zeros after decimals."""
    plain = unicodedata.normalize('NFKC', unicodedata.normalize('NFKC', name).casefold())
    plain = ''.join(letter for letter in plain if unicodedata.category(letter) != 'Cf')  # such as a zero-width space
    plain = re.sub(r'(?<=\w)[\s_-]+(?=\w)|_', ' ', plain).strip()  # a sign stays, and so does what separates two numbers
    plain = re.sub(r'(?<=[^\W\d]) (?=\d)|^\+(?=\d)', '', plain)
    plain = re.sub(r'(?<!\d)(?<!\d\.)0+(?=\d)', '', plain)
    return plain.rstrip('0').rstrip('.') if re.fullmatch(r'[+-]?\d+\.\d*', plain) else plain


def list_names(names: Sequence[str], most: int = 8) -> str:
    """Join names by commas; of more than ``most``, the first ones and the last are shown."""
    if len(names) > most:
        names = [*names[: most - 2], f'… {names[-1]}']
    return ', '.join(names)
