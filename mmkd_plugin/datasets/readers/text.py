"""Tables of numbers in text files, with errors that name the file and the line."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ['MAX_LINE', 'count_lines', 'damaged', 'read_lines', 'read_numbers']

MAX_LINE = 65_536  # characters; the widest of the public formats has about 2,000


def damaged(path: Path, line: int, reason: str) -> ValueError:
    """Return the error of a damaged file: ``<file>:<line>: <reason>``, lines counted from 1."""
    return ValueError(f'{path}:{line}: {reason}')


def count_lines(path: Path) -> int:
    """Count the lines of a file that are not empty."""
    with open(path, 'rb') as file:
        return sum(1 for line in file if line.strip())


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file in UTF-8, without their ends.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is empty, is no text, or has a line longer than :data:`MAX_LINE`.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    data = path.read_bytes()
    if not data.strip():
        raise damaged(path, 1, 'the file is empty')
    lines = []
    for number, raw in enumerate(data.split(b'\n'), 1):
        if len(raw) > MAX_LINE:
            raise damaged(path, number, f'a line of {len(raw):,} characters; expected at most {MAX_LINE:,}')
        try:
            lines.append(raw.decode('utf-8').rstrip('\r'))
        except UnicodeDecodeError as error:
            raise damaged(path, number, f'no text in UTF-8: byte 0x{raw[error.start]:02x}') from error
    if lines and not lines[-1]:
        lines.pop()
    return lines


def read_numbers(
    path: Path, columns: int | Sequence[str], separator: str | None = None, header: int = 0, end: str = ''
) -> NDArray:
    """Read a table of numbers.

    The file is read at the speed of numpy; only if that fails, line by line, to say where.

    Args:
        path (Path): The file.
        columns (int | Sequence[str]): How many, or their names, which then stand in messages.
        separator (str, optional): Between columns; white space by default.
        header (int): Lines before the first row.
        end (str): What every row ends with, for example ``';'``.

    Returns:
        ndarray: ``(rows, columns)``, float64; 'NaN' is read as such.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is damaged; the message is ``<file>:<line>: <what came, what was expected>``.
    """
    count = columns if isinstance(columns, int) else len(columns)
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    if not end:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # of a file without a row; below that is an error
                table = np.loadtxt(path, delimiter=separator, skiprows=header, ndmin=2, comments=None, encoding='utf-8')
            if table.shape[1] == count and len(table):
                return table
        except (ValueError, UnicodeDecodeError):
            pass  # the slow way below finds the line
    names = [f'column {i + 1}' for i in range(count)] if isinstance(columns, int) else list(columns)
    rows = []
    for number, line in enumerate(read_lines(path)[header:], header + 1):
        if line.strip():
            rows.append(_row(path, number, line, names, separator, end))
    if not rows:
        raise damaged(path, header + 1, 'the file has no row')
    return np.array(rows)


def _row(path: Path, number: int, line: str, names: list[str], separator: str | None, end: str) -> list[float]:
    line = line.strip()
    if not line.endswith(end):
        raise damaged(path, number, f'the line must end with {end!r}, got {line[-20:]!r}')
    fields = line[: len(line) - len(end)].split(separator)
    if len(fields) != len(names):
        hint = '' if len(fields) > 1 else f'; are the columns separated by {separator or "white space"!r}?'
        raise damaged(path, number, f'{len(fields)} columns, expected {len(names)}{hint}')
    values = []
    for name, text in zip(names, fields):
        try:
            values.append(float(text))
        except ValueError as error:
            raise damaged(path, number, f'{name} is {text.strip()[:40]!r}, expected a number') from error
    return values
