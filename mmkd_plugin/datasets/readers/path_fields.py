"""Subject and label in the path of a file."""

from __future__ import annotations

import re

__all__ = ['match_path']

FIELDS = re.compile(r'(\{subject\}|\{label\}|\*)')


def match_path(pattern: str, text: str) -> dict[str, str] | None:
    """Match a whole path with a pattern, in a time that grows with the product of their lengths.

    Args:
        pattern (str): ``*`` is anything but a slash, as much as possible; ``{subject}`` and ``{label}`` are one character or
            more but slashes, as few as possible; anything else stands for itself.
        text (str): Path below a folder.

    Returns:
        dict[str, str] | None: Texts by the names of the fields; None if the text is of another form.
    """
    fields, size = [field for field in FIELDS.split(pattern) if field], len(text)
    fits = [[position == size for position in range(size + 1)]]  # whether what follows a field matches from a position
    for field in reversed(fields):
        after, own = fits[0], [False] * (size + 1)
        reach = False  # whether the rest matches from here or from somewhere further on without a slash between
        for position in range(size, -1, -1):
            if field != '*' and field[:1] != '{':
                own[position] = text.startswith(field, position) and after[position + len(field)]
                continue
            further = reach and position < size and text[position] != '/'
            reach = after[position] or further
            own[position] = reach if field == '*' else further
        fits.insert(0, own)
    if not fits[0][0]:
        return None
    values, start = {}, 0
    for field, after in zip(fields, fits[1:]):
        if field != '*' and field[:1] != '{':
            start += len(field)
            continue
        slash = text.find('/', start)
        ends = range(start + (field != '*'), (size if slash < 0 else slash) + 1)
        end = next(end for end in (reversed(ends) if field == '*' else ends) if after[end])
        if field != '*':
            values[field[1:-1]] = text[start:end]
        start = end
    return values
