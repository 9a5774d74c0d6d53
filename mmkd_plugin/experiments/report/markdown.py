"""Reports and tables as Markdown."""

from __future__ import annotations

from mmkd_plugin.text import markdown_text

from ..tables import Table, Value
from .build import Report

__all__ = ['format_value', 'to_markdown']


def format_value(value: Value, digits: int | None) -> str:
    """Return a value as people read it: thousands with commas, a dash where there is none.

    Args:
        value (Value): A number, a text or None.
        digits (int, optional): Digits after the point.
    """
    if value is None:
        return '–'
    if isinstance(value, str):
        return value
    text = f'{value:,.{digits or 0}f}'
    if digits == 4 and value > 0 and not float(text):
        return '<0.0001'  # a p-value
    return text[1:] if text.startswith('-') and not float(text.replace(',', '')) else text


def to_markdown(content: Report | Table) -> str:
    """Return a report, or one table of it, as Markdown."""
    if isinstance(content, Table):
        return _table(content)
    blocks = ['# Report', markdown_text(content.answer)]
    if content.notes:
        blocks.append('\n'.join(f'- {markdown_text(note)}' for note in content.notes))
    tables = [f'## {markdown_text(table.title)}\n\n{_table(table)}' for table in content.tables]
    return '\n\n'.join([*blocks, *tables]) + '\n'


def _table(table: Table) -> str:
    rule = '|' + '|'.join('---' if column.digits is None else '---:' for column in table.columns) + '|'
    lines = [_row([column.name for column in table.columns]), rule]
    lines += [_row([format_value(v, c.digits) for v, c in zip(row, table.columns)]) for row in table.rows]
    notes = ''.join(f'\n\n{markdown_text(note[0].upper() + note[1:])}.' for note in table.notes)
    return '\n'.join(lines) + notes


def _row(texts: list[str]) -> str:
    return '| ' + ' | '.join(markdown_text(text).replace('|', '\\|') for text in texts) + ' |'
