"""Texts that came out of files, made harmless where they are shown: on a terminal, in a spreadsheet, in Markdown."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

__all__ = ['csv_text', 'markdown_text', 'printable', 'printable_output']

# What a terminal obeys or hides: controls but for tab and line feed, marks that reverse the direction of writing, separators of
# lines that are no line feed, and halves of characters, which no encoding has (undecodable bytes of a file's name).
OBEYED = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]')
BREAKS = re.compile(f'{OBEYED.pattern}|[\t\n]')
FORMULA = ('=', '+', '-', '@', '\t', '＝', '＋', '－', '＠')  # beginnings by which a spreadsheet tells a formula


def printable(text: str, lines: bool = True) -> str:
    r"""Return a text that a terminal shows and does not obey: characters that it would obey are written as in JSON, ``\u001b``.

    Args:
        text (str): Of any origin.
        lines (bool): Let tabs and line feeds stand; a name that is part of a line has none.
    """
    return (OBEYED if lines else BREAKS).sub(lambda match: f'\\u{ord(match[0]):04x}', text)


class _Output:
    """A standard stream on which everything is :func:`printable`; programs that draw on the terminal themselves use the stream.

    Args:
        stream (TextIO): The stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream  # by this name rich finds where it draws, which has escape sequences

    def write(self, text: str) -> int:
        """Write a text; a carriage return at its very beginning stays, by which a progress bar returns to its own line."""
        start = text[:1] if text.startswith('\r') else ''
        self.rich_proxied_file.write(start + printable(text[len(start) :]))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


@contextlib.contextmanager
def printable_output() -> Iterator[None]:
    """Let everything that is printed inside a ``with`` block be :func:`printable`, on standard output and standard error."""
    out, err = _Output(sys.stdout), _Output(sys.stderr)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV in which no cell is a formula.

    A text that a spreadsheet would take for one, such as ``=1+1``, gets an apostrophe in front, by which spreadsheets know a
    text. Numbers, also those that are names of classes (``-1``), stay as they are. Texts are :func:`printable`: a carriage
    return would begin a row.

    Args:
        rows (Iterable[Sequence]): Of texts, numbers and None, which is an empty cell.
    """
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator='\n').writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = printable(value)
    if not value.startswith(FORMULA):
        return value
    with contextlib.suppress(ValueError):
        float(value)
        if value.isascii() and value.isprintable():
            return value
    return f"'{value}"


def markdown_text(text: str) -> str:
    """Return a text in one line that Markdown takes for no markup of HTML, no link and no image."""
    text = re.sub(r'\](?=[(\[])', r']\\', ' '.join(text.split()))
    return printable(re.sub(r'<(?=[A-Za-z/!?])', r'\\<', text))
