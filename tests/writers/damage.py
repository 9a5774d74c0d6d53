"""Twelve kinds of damage that files of recordings suffer, and what a reader must make of them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

KINDS = (
    'truncated file',
    'missing column',
    'text in a number',
    'wrong separator',
    'NaN run',
    'duplicate timestamp',
    'negative time step',
    'wrong label',
    'empty file',
    'unreadable encoding',
    'huge line',
    'absent subject',
)


def truncate(path: Path) -> None:
    """Cut the file in the middle of a line."""
    data = path.read_bytes()
    path.write_bytes(data[: int(0.6 * len(data))].rstrip(b'\r\n \t;')[:-3])


def edit_line(path: Path, number: int, change: Callable[[str], str]) -> None:
    """Change one line, counted from 1."""
    lines = path.read_text().split('\n')
    lines[number - 1] = change(lines[number - 1])
    path.write_text('\n'.join(lines))


def edit_field(path: Path, number: int, column: int, text: str | None, separator: str = ' ') -> None:
    """Put another text into a field of a line, counted from 1 and 0; None takes the field away."""

    def change(line: str) -> str:
        fields = line.split(separator)
        fields[column : column + 1] = [] if text is None else [text]
        return separator.join(fields)

    edit_line(path, number, change)


def separate_by(path: Path, old: str, new: str) -> None:
    """Exchange the separator of the whole file."""
    path.write_text(path.read_text().replace(old, new))


def empty(path: Path) -> None:
    path.write_bytes(b'')


def encode_badly(path: Path) -> None:
    """A byte in the third line that UTF-8 does not know."""
    lines = path.read_bytes().split(b'\n')
    lines[2] = lines[2][:2] + b'\xff' + lines[2][2:]
    path.write_bytes(b'\n'.join(lines))


def lengthen(path: Path) -> None:
    """A third line of a million characters."""
    edit_line(path, 3, lambda line: line * (1_000_000 // max(len(line), 1)))


def assert_outcome(read: Callable, outcome: str, noted: bool) -> None:
    """See that damage is one clear error, or a listed repair.

    Args:
        read (Callable): Gives recordings with notes.
        outcome (str): Pattern of the error's message, or of a note.
        noted (bool): Whether it is repaired and noted.
    """
    if noted:
        result = read()
        assert any(re.search(outcome, note) for note in result.notes), result.notes
        return
    with pytest.raises((ValueError, FileNotFoundError), match=outcome) as caught:
        read()
    assert '\n' not in str(caught.value)
