"""Options of the command line: from text to values, from values into a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

__all__ = ['merge_options', 'parse_value']

PATHS = ('/', './', '../', '~')


def parse_value(text: str) -> Any:
    """Return the value that the text of an option stands for, as the host does.

    ``1``, ``1e-4``, ``true`` and ``None`` stand for themselves, ``1,2`` and ``[a,(1,2)]`` for lists; everything else is text.
    Text in quotes, and a path that begins with ``/``, ``./``, ``../`` or ``~``, keep their blanks and commas.

    Args:
        text (str): What stands behind ``KEY=``.

    Returns:
        Any: A number, bool, None, text, list or tuple.

    Raises:
        ValueError: Brackets are not closed.
    """
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in '\'"' and text[0] not in text[1:-1]:
        return text[1:-1]
    if text.startswith(PATHS):
        return text
    parts = _split(text)
    if len(parts) > 1 or text.endswith(','):
        return [parse_value(part) for part in parts]
    for begin, end, kind in (('(', ')', tuple), ('[', ']', list)):
        if text.startswith(begin) and text.endswith(end):
            return kind(parse_value(part) for part in _split(text[1:-1]))
    return _scalar(text)


def _split(text: str) -> list[str]:
    """Split at the commas that stand outside brackets and quotes."""
    parts, depth, quote, begin = [], 0, '', 0
    for position, letter in enumerate(text):
        if quote or letter in '\'"':
            quote = '' if letter == quote else quote or letter
        elif letter in '([':
            depth += 1
        elif letter in ')]':
            depth -= 1
        elif letter == ',' and depth == 0:
            parts.append(text[begin:position])
            begin = position + 1
        if depth < 0:
            break
    if depth:
        raise ValueError(f'the brackets of {text!r} are not balanced')
    return [*parts, text[begin:]] if text[begin:].strip() else parts


def _scalar(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {'true': True, 'false': False, 'none': None}.get(text.lower(), text)


def merge_options(cfg: Config, options: Mapping[str, object]) -> dict[str, str]:
    """Merge ``--cfg-options`` into a config, one after another.

    Args:
        cfg (Config): Changed in place.
        options (Mapping): ``{'dotted.key': value}``.

    Returns:
        dict[str, str]: One sentence for each option that leads nowhere, by its key.
    """
    faults = {}
    for key, value in options.items():
        try:
            cfg.merge_from_dict({key: value})
        except (KeyError, TypeError, AttributeError, IndexError):
            faults[key] = _obstacle(cfg, key)
    return faults


def _obstacle(cfg: Config, key: str) -> str:
    """Say where on the way of a dotted key there is no dict to go into."""
    value, parts = cfg, key.split('.')
    for position, part in enumerate(parts):
        name = '.'.join(parts[:position])
        if isinstance(value, (list, tuple)):
            if not part.isdecimal() or int(part) >= len(value):
                return f'{name} is a list with the indices 0 to {len(value) - 1}'
            value = value[int(part)]
        elif isinstance(value, (Config, dict)):
            value = value.get(part)
        else:
            return f'{name} is {value!r} and has no entries'
    return 'the value cannot be merged'
