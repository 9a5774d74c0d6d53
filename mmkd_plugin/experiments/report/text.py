"""Tables for a terminal."""

from __future__ import annotations

from mmkd_plugin.text import printable

from ..tables import Table
from .markdown import format_value

__all__ = ['to_text']


def to_text(table: Table) -> str:
    """Return a table with aligned columns, numbers to the right, its title above and its notes below."""
    cells = [[column.name for column in table.columns]]
    cells += [[format_value(value, column.digits) for value, column in zip(row, table.columns)] for row in table.rows]
    cells = [[printable(text, lines=False) for text in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells)]
    right = [column.digits is not None for column in table.columns]
    lines = ['  '.join(f'{t:>{w}}' if r else f'{t:{w}}' for t, w, r in zip(row, widths, right)).rstrip() for row in cells]
    rule = '-' * max(map(len, lines))
    return '\n'.join([table.title, rule, lines[0], rule, *lines[1:], rule, *table.notes])
