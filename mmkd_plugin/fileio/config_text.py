"""A config as Python code that reads back as the same config."""

from __future__ import annotations

import keyword
import math
from collections.abc import Mapping
from typing import Any

__all__ = ['format_config']

WIDTH = 120  # columns
INDENT = 4


def format_config(settings: Mapping[str, Any]) -> str:
    """Return settings as Python code, in their order; a value that does not fit on a line is broken at its commas.

    The host's text is the same but for order and line breaks, and takes half a second: its formatter weighs all ways to break
    a line.

    Args:
        settings (Mapping[str, Any]): Of dicts, lists, tuples, texts, numbers, None and types.
    """
    return ''.join(f'{name} = {_spell(value, 0, len(name) + 3)}\n' for name, value in settings.items())


def _spell(value: Any, indent: int, used: int) -> str:
    """Spell a value that begins after so many columns, in lines of which the second begins after the indent."""
    line = _spell_in_line(value)
    if used + len(line) <= WIDTH or not isinstance(value, (Mapping, list, tuple)) or not value:
        return line
    left, right = _brackets(value)
    margin = ' ' * (indent + INDENT)
    lines = [
        f'{margin}{head}{_spell(entry, indent + INDENT, indent + INDENT + len(head) + 1)},\n' for head, entry in _entries(value)
    ]
    return f'{left}\n{"".join(lines)}{" " * indent}{right}'


def _spell_in_line(value: Any) -> str:
    if isinstance(value, (Mapping, list, tuple)):
        left, right = _brackets(value)
        end = ',' if isinstance(value, tuple) and len(value) == 1 else ''
        return left + ', '.join(head + _spell_in_line(entry) for head, entry in _entries(value)) + end + right
    if isinstance(value, type):
        return value.__name__ if value.__module__ == 'builtins' else f'{value.__module__}.{value.__name__}'
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    return repr(value)


def _brackets(value: Any) -> tuple[str, str]:
    if isinstance(value, Mapping):
        return ('dict(', ')') if _named(value) else ('{', '}')
    return ('[', ']') if isinstance(value, list) else ('(', ')')


def _entries(value: Any) -> list[tuple[str, Any]]:
    """Return what stands before each entry, and the entry."""
    if not isinstance(value, Mapping):
        return [('', entry) for entry in value]
    named = _named(value)
    return [(f'{key}=' if named else f'{key!r}: ', entry) for key, entry in value.items()]


def _named(value: Mapping) -> bool:
    """Return whether all keys can be written as names of arguments."""
    return all(isinstance(key, str) and key.isidentifier() and not keyword.iskeyword(key) for key in value)
