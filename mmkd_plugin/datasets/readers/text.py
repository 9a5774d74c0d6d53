"""Tables of numbers in text files, with errors that name the file and the line."""

from __future__ import annotations

import codecs
import gzip
import re
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.failures import reworded
from mmkd_plugin.fileio import most_unpacked

__all__ = [
    'MAX_LINE',
    'count_lines',
    'damaged',
    'first_line',
    'no_number',
    'read_lines',
    'read_named_numbers',
    'read_numbers',
    'read_text',
    'split_lines',
]

MAX_LINE = 65_536  # characters; the widest of the public formats has about 2,000
MAGIC = {
    b'\x1f\x8b': "compressed by gzip: end the file's name in .gz, or unpack it",
    b'PK\x03\x04': 'a zip archive: unpack it',
    b'\xd0\xcf\x11\xe0': 'an Excel workbook of the old format: save its sheet as CSV UTF-8',
    b'BZh': 'compressed by bzip2: unpack it',
    b'\xfd7zXZ': 'compressed by xz: unpack it',
    b'\x28\xb5\x2f\xfd': 'compressed by zstd: unpack it',
    b'7z\xbc\xaf': 'a 7z archive: unpack it',
    b'\x89HDF': 'HDF5: bring its arrays with save_recordings',
    b'\x93NUMPY': 'an array of numpy: bring it with save_recordings',
    b'MATLAB': 'a MATLAB file: bring its arrays with save_recordings',
    b'SQLite': 'an SQLite database: export the table as CSV',
    b'%PDF': 'a PDF',
    b'version https://git-lfs': "a pointer of Git LFS: fetch the file itself with 'git lfs pull'",
    b'\xff\xfe\0\0': 'text in UTF-32: save the file as UTF-8',
    b'\0\0\xfe\xff': 'text in UTF-32: save the file as UTF-8',
    b'\xff\xfe': 'text in UTF-16: save the file as UTF-8',
    b'\xfe\xff': 'text in UTF-16: save the file as UTF-8',
    b'PAR1': "Parquet: end the file's name in .parquet",
}


def damaged(path: Path, line: int, reason: str) -> ValueError:
    """Return the error of a damaged file: ``<file>:<line>: <reason>``, lines counted from 1."""
    return ValueError(f'{path}:{line}: {reason}')


def no_number(path: Path, line: int, name: str, text: str) -> ValueError:
    """Return the error of a text where a number belongs; a decimal comma and points of a spreadsheet are named."""
    text = text.strip()
    comma = re.fullmatch(r'[+-]?\d*,\d+([eE][+-]?\d+)?', text)
    hint = '; decimals are written with a point, not with a comma' if comma else ''
    if re.fullmatch(r'[+-]?\d{1,3}(\.\d{3}){2,}', text):
        hint = '; a spreadsheet has put points between thousands: where the decimal point was is lost'
    return damaged(path, line, f'{name} is {text[:40]!r}, expected a number{hint}')


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
    return split_lines(path, read_text(path))


def read_text(path: Path) -> bytes:
    """Read the bytes of a text file, unpacked where its name ends in ``.gz``.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is empty, damaged, or of another kind, which the message names.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    data = _unpack(path) if path.suffix.lower() == '.gz' else path.read_bytes()
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        raise damaged(path, 1, 'the file is empty')
    kind = _foreign(path, data)
    if kind:
        raise damaged(path, 1, f'{kind}; expected text in UTF-8')
    return data


def _unpack(path: Path) -> bytes:
    most = most_unpacked(path)
    with reworded(f'{path}:1: no gzip that can be read', (OSError, EOFError, zlib.error)), gzip.open(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise damaged(path, 1, f'{path.stat().st_size:,} bytes that unpack to more than {most:,}, which no table does')
    return data


def _foreign(path: Path, data: bytes) -> str | None:
    """Name the kind of a file that is no text in UTF-8."""
    if data.startswith(b'PK\x03\x04') and (path.suffix.lower() in ('.xlsx', '.xlsm') or b'xl/' in data[:4096]):
        return 'an Excel workbook: save its sheet as CSV UTF-8'
    for magic, kind in MAGIC.items():
        if data.startswith(magic):
            return kind
    if b'\0' in data[:1024]:
        return 'zero bytes: a binary file, or text in UTF-16'
    pairs, ends = data.count(b'\r\n'), data.count(b'\n')
    if data.count(b'\r') - pairs > ends:
        return 'lines that end in CR alone, as those of old Macs: save the file with LF or CRLF'
    return None


def first_line(path: Path) -> str:
    """Read the first line of a text file, which may have nothing in it; see :func:`read_lines` for the errors."""
    data = read_text(path).removeprefix(codecs.BOM_UTF8)
    return ''.join(split_lines(path, data.partition(b'\n')[0]))


def split_lines(path: Path, data: bytes) -> list[str]:
    """Split the content of a text file into lines without their ends.

    Raises:
        ValueError: It is no text in UTF-8, or has a line longer than :data:`MAX_LINE`.
    """
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


def read_named_numbers(path: Path, names: Sequence[str]) -> NDArray:
    """Read a table of numbers with commas between them, whose first line names the columns, ``(rows, columns)`` float64.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is damaged, or has other columns.
    """
    first = first_line(path)
    if [name.strip() for name in first.split(',')] != list(names):
        raise damaged(path, 1, f'the columns are {first[:200]!r}, expected {",".join(names)}')
    return read_numbers(path, names, ',', 1)


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
            raise no_number(path, number, name, text) from error
    return values
