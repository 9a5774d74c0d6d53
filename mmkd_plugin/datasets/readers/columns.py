"""Named columns of CSV and Parquet files, with errors that name the file and the line."""

from __future__ import annotations

import codecs
import contextlib
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.compatibility import require
from mmkd_plugin.failures import reworded

from ..names import is_missing
from .text import damaged, first_line, no_number, read_text, split_lines

__all__ = ['PARQUET', 'Columns', 'column_names', 'read_columns']

PARQUET = ('.parquet', '.pq')  # endings; every other file is read as CSV
CHUNK = 500  # rows whose texts are in memory at once; with many more, Python's garbage collector takes twice the time


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of a file with n rows.

    Attributes:
        numbers (ndarray): ``(n, columns)``, float64, NaN where a value is missing.
        texts (dict[str, list[str]]): n texts of each column, '' where a field is empty.
        lines (ndarray): Line of each row from 1, ``(n, )``; in Parquet, the row.
        notes (tuple[str, ...]): What is odd of the file.
    """

    numbers: NDArray
    texts: dict[str, list[str]]
    lines: NDArray
    notes: tuple[str, ...] = ()


def read_columns(
    path: Path, numbers: Sequence[str], texts: Sequence[str], separator: str | None = ',', names: Sequence[str] = ()
) -> Columns:
    """Read columns by their names.

    Args:
        path (Path): A Parquet file by its ending, else a CSV file in UTF-8, compressed by gzip where its name ends in ``.gz``.
        numbers (Sequence[str]): Columns of numbers.
        texts (Sequence[str]): Columns of texts.
        separator (str, optional): Between the columns of a CSV file; None for any number of blanks and tabs.
        names (Sequence[str]): All columns of a CSV file whose first line does not name them.

    Raises:
        FileNotFoundError: The file does not exist.
        ImportError: Parquet is to be read and pyarrow is not installed.
        ValueError: The file is damaged, or a column is missing.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    if path.suffix.lower() in PARQUET:
        if names:
            raise ValueError(f'{path}: a Parquet file names its columns itself; leave columns out')
        return _read_parquet(path, numbers, texts)
    return _read_csv(path, numbers, texts, separator, names)


def column_names(path: Path, separator: str | None = ',', names: Sequence[str] = ()) -> list[str]:
    """Return the names of all columns of a file, see :func:`read_columns`.

    Raises:
        FileNotFoundError: The file does not exist.
        ImportError: Parquet is to be read and pyarrow is not installed.
        ValueError: The file is damaged.
    """
    if path.suffix.lower() not in PARQUET:
        return list(names) or _header(path, first_line(path), separator)
    with _parquet(path) as parquet:
        return list(parquet.read_schema(path).names)


def _header(path: Path, line: str, separator: str | None) -> list[str]:
    return [_plain_text(name) for name in _fields(path, 1, line, separator)]


def _read_csv(path: Path, numbers: Sequence[str], texts: Sequence[str], separator: str | None, names: Sequence[str]) -> Columns:
    data = read_text(path)
    lines = split_lines(path, data.removeprefix(codecs.BOM_UTF8))  # Excel begins a file with a byte order mark
    header = list(names) or _header(path, lines[0], separator)
    told = 'columns names' if names else 'in the first line'
    between = 'blanks' if separator is None else repr(separator)
    indices = _indices(path, header, (*numbers, *texts), f'; are the columns separated by {between}?')
    chunks, seen = [], []
    words: dict[str, list[str]] = {name: [] for name in texts}
    for start in range(0 if names else 1, len(lines), CHUNK):
        rows = []
        for number, line in enumerate(lines[start : start + CHUNK], start + 1):
            if not line or (separator is None and not line.strip()):
                continue
            rows.append(_fields(path, number, line, separator))
            seen.append(number)
            if len(rows[-1]) != len(header):
                raise damaged(path, number, f'{len(rows[-1])} columns, expected {len(header)} as {told}')
        columns, at = list(zip(*rows)), seen[len(seen) - len(rows) :]
        if columns:
            chunks.append(np.empty((len(rows), len(numbers))))
            for index, name in enumerate(numbers):
                chunks[-1][:, index] = _floats(path, at, name, columns[indices[name]])
            for name in texts:
                words[name] += [_plain_text(text) for text in columns[indices[name]]]
    if not seen:
        raise damaged(path, 2, 'the file has no row')
    notes = () if data.endswith(b'\n') else (f'{path}:{seen[-1]}: the last line has no end: the file may be cut off there',)
    return Columns(np.concatenate(chunks), words, np.array(seen), notes)


def _plain_text(text: str) -> str:
    """Return a text without blanks around it and without single quotes, which are no quotes of CSV."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in '\'"' else text


def _fields(path: Path, number: int, line: str, separator: str | None) -> list[str]:
    if '"' not in line:
        return line.split(separator)  # several times faster than the csv module
    if separator is None:
        return re.findall(r'"[^"]*"|\S+', line)
    try:
        try:
            return next(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True))
        except csv.Error:  # blanks after the quotes, which the module does not skip as it skips those before
            mark = re.escape(separator)
            line = re.sub(rf'((?:^|{mark}) *"(?:[^"]|"")*") +(?={mark}|$)', r'\1', line)
            return next(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise damaged(path, number, f'the quotes are wrong: {error}') from error


def _indices(path: Path, header: list[str], wanted: Sequence[str], hint: str = '') -> dict[str, int]:
    """Return the indices of columns by their names."""
    for name in wanted:
        if header.count(name) != 1:
            count = f'{header.count(name)} columns' if name in header else 'no column'
            raise damaged(
                path, 1, f'there is {count} {name!r}; there is {", ".join(header)[:200]}{hint if len(header) == 1 else ""}'
            )
    return {name: header.index(name) for name in wanted}


def _floats(path: Path, at: list[int], name: str, texts: Sequence[str]) -> NDArray:
    """Parse a column of numbers, ``(n, )`` float64."""
    try:
        values = np.array(list(map(float, texts)))
    except ValueError:  # values are missing, or one is damaged
        values = np.array([_float(path, number, name, text) for number, text in zip(at, texts)])
    return _finite(path, at, name, values)


def _float(path: Path, number: int, name: str, text: str) -> float:
    try:
        return float('nan' if is_missing(text) else text)
    except ValueError as error:
        raise no_number(path, number, name, text) from error


def _finite(path: Path, at: Sequence[int] | NDArray, name: str, values: NDArray) -> NDArray:
    if np.isinf(values).any():
        raise damaged(path, at[int(np.isinf(values).argmax())], f'{name} is infinite, expected a number')
    return values


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    """Give pyarrow's module of Parquet files, whose errors name the file."""
    pyarrow, parquet = (require(name, str(path), 'mmkd_plugin[parquet]') for name in ('pyarrow', 'pyarrow.parquet'))
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    kinds = (pyarrow.ArrowException, OSError, UnicodeDecodeError)  # the last of the name of a column
    with reworded(f'{path}:1: no Parquet that can be read', kinds):
        yield parquet


def _read_parquet(path: Path, numbers: Sequence[str], texts: Sequence[str]) -> Columns:
    names = (*numbers, *texts)
    with _parquet(path) as parquet:
        import pyarrow

        with parquet.ParquetFile(path) as file:
            _indices(path, file.schema_arrow.names, names)
            table = file.read(list(names))
        words = {
            name: [_plain_text(text or '') for text in table.column(name).cast(pyarrow.string()).to_pylist()] for name in texts
        }
    if not len(table):
        raise damaged(path, 1, 'the file has no row')
    lines, values = np.arange(1, len(table) + 1), np.empty((len(table), len(numbers)))
    for index, name in enumerate(numbers):
        kind, column = table.schema.field(name).type, table.column(name)
        if not (pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)):
            raise damaged(path, 1, f'{name} holds {kind}, expected numbers')
        values[:, index] = _finite(path, lines, name, column.cast(pyarrow.float64(), safe=False).to_numpy())
    return Columns(values, words, lines)
