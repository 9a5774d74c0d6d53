"""Files of the UCR and UEA archives, parsed strictly: ``.ts`` with a header, ``.tsv`` without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .text import MAX_LINE, damaged

__all__ = ['Header', 'Series', 'read_header', 'read_labels', 'read_ts', 'read_tsv']

Lines = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Header:
    """Header of a ``.ts`` file.

    Attributes:
        dimensions (int): Channels of a series.
        classes (tuple[str, ...]): In the order of ``@classLabel``.
        length (int | None): Samples of every series, None where they differ or the header does not tell.
    """

    dimensions: int
    classes: tuple[str, ...]
    length: int | None


@dataclass(frozen=True, eq=False)
class Series:
    """One line of data.

    Attributes:
        line (int): Its number, from 1.
        values (ndarray): ``(T, C)``, float64, NaN where a value is missing.
        label (str): Name of the class.
    """

    line: int
    values: NDArray
    label: str


def read_header(path: Path) -> Header:
    """Read the header of a ``.ts`` file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is damaged, or its series have times of their own or no classes.
    """
    return _open_ts(path)[0]


def read_ts(path: Path, dimensions: int) -> list[Series]:
    """Read the series of a ``.ts`` file: dimensions separated by ':', then the label.

    Args:
        path (Path): The file.
        dimensions (int): How many a series must have.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is damaged.
    """
    header, lines = _open_ts(path)
    series = []
    for number, line in lines:
        *texts, label = line.split(':')
        if len(texts) != dimensions:
            raise damaged(path, number, f'{len(texts)} dimension(s) before the label, expected {dimensions}')
        columns = [_floats(path, number, f'dimension {i + 1}', text.split(',')) for i, text in enumerate(texts)]
        expected = header.length or len(columns[0])
        for index, column in enumerate(columns, 1):
            if len(column) != expected:
                raise damaged(path, number, f'dimension {index} has {len(column)} values, expected {expected}')
        series.append(Series(number, np.column_stack(columns), label.strip()))
    if not series:
        raise damaged(path, 1, 'there is no series after @data')
    return series


def read_tsv(path: Path) -> tuple[list[Series], list[str]]:
    """Read the series of a ``.tsv`` file, each a line of a label and values of one channel.

    Returns:
        tuple[list[Series], list[str]]: Series without the NaN that fills up their lines, and notes of this and of a last line
        that has no end.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is damaged.
    """
    series, ends_early, notes, width = [], [], [], 0
    for number, line in _lines(path):
        label, *texts = line.split('\t')
        width = width or len(texts)
        if not texts or len(texts) != width:
            expected = f'{width + 1} as in the first line' if width else 'a label and values, separated by tabs'
            raise damaged(path, number, f'{len(texts) + 1} column(s), expected {expected}')
        values = _floats(path, number, 'the series', texts)
        if np.isnan(values).all():
            raise damaged(path, number, f'there is no value in {width} columns')
        stop = width - int(np.isnan(values)[::-1].argmin())
        ends_early += [number] if stop < width else []
        series.append(Series(number, values[:stop, None], _whole(path, number, label)))
    if not series:
        raise damaged(path, 1, 'there is no series')
    if ends_early:
        notes.append(
            f'{path}:{ends_early[0]}: {len(ends_early)} series end in NaN, which only fills up the line and is cut off'
        )
    with open(path, 'rb') as file:
        file.seek(-1, 2)
        if file.read() != b'\n':
            notes.append(f'{path}:{series[-1].line}: the last line has no end: the file may be cut off there')
    return series, notes


def read_labels(path: Path) -> set[str]:
    """Read the classes of a ``.tsv`` file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: A label is not a whole number.
    """
    return {_whole(path, number, line.split('\t', 1)[0]) for number, line in _lines(path)}


def _lines(path: Path) -> Lines:
    """Yield lines with their numbers, without comments and blank lines; a line holds a series and may have any length."""
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    if not path.stat().st_size:
        raise damaged(path, 1, 'the file is empty')
    with open(path, 'rb') as file:
        for number, raw in enumerate(file, 1):
            if raw.startswith((b'#', b'%')) or not raw.strip():  # some files keep the comments of ARFF
                continue
            try:
                yield number, raw.decode('utf-8').rstrip('\r\n')
            except UnicodeDecodeError as error:
                raise damaged(path, number, f'no text in UTF-8: byte 0x{raw[error.start]:02x}') from error


def _open_ts(path: Path) -> tuple[Header, Lines]:
    """Read the header, and return it with the lines of data."""
    lines = _lines(path)
    keywords = _keywords(path, lines)
    for key, what in (('timestamps', 'samples have times of their own'), ('targetlabel', 'a number is to be predicted')):
        if keywords.get(key, (0, ''))[1].lower().startswith('true'):
            raise damaged(path, keywords[key][0], f'@{key} true: {what}; expected series at one rate, each with a class')
    number, value = keywords.get('classlabel', (1, ''))
    known, *classes = value.split() or ['']
    if known.lower() != 'true' or not classes:
        raise damaged(path, number, 'there is no @classLabel that says true and the names of the classes')
    twice = [name for name, count in Counter(classes).items() if count > 1]
    if twice:
        raise damaged(path, number, f'@classLabel names {", ".join(twice)} twice, expected different classes')
    dimensions = _count(path, keywords, 'dimensions') or _count(path, keywords, 'dimension')
    if keywords.get('univariate', (0, ''))[1].lower() == 'true':
        dimensions = 1
    first = next(lines, None)
    if first is None:
        raise damaged(path, 1, 'there is no series after @data')
    present = max(1, first[1].count(':'))
    if dimensions not in (None, present):  # many multivariate files do not say it; names are made of as many as there are
        raise damaged(path, first[0], f'{present} dimension(s) before the label, expected {dimensions} as the header says')
    equal = keywords.get('equallength', (0, ''))[1].lower() == 'true'
    length = _count(path, keywords, 'serieslength') if equal else None
    return Header(present, tuple(classes), length), chain([first], lines)


def _keywords(path: Path, lines: Lines) -> dict[str, tuple[int, str]]:
    """Return line number and value of every keyword before ``@data``, in lower case because files do not agree on the case."""
    keywords: dict[str, tuple[int, str]] = {}
    number = 1
    for number, line in lines:
        if len(line) > MAX_LINE:
            raise damaged(path, number, f'a line of {len(line):,} characters before @data, expected at most {MAX_LINE:,}')
        if not line.startswith('@'):
            raise damaged(path, number, f'{line[:40]!r} before @data, expected a comment (#) or a keyword (@)')
        key, _, value = line[1:].strip().partition(' ')
        if key.lower() == 'data':
            return keywords
        before = keywords.setdefault(key.lower(), (number, value.strip()))
        if before[1] != value.strip():
            raise damaged(path, number, f'@{key} stands twice, with other values; the first is in line {before[0]}')
    raise damaged(path, number, 'the file ends before @data')


def _count(path: Path, keywords: dict[str, tuple[int, str]], key: str) -> int | None:
    """Parse a whole number of the header, None where the keyword is missing."""
    if key not in keywords:
        return None
    number, value = keywords[key]
    if not value.isdecimal() or int(value) < 1:
        raise damaged(path, number, f'@{key} is {value[:40]!r}, expected a whole number from 1')
    return int(value)


def _whole(path: Path, number: int, text: str) -> str:
    """Normalise a label of a ``.tsv`` file: '1.0' is '1'."""
    try:
        value = float(text)
    except ValueError:
        value = float('nan')
    if not value.is_integer() or abs(value) > 2**53:  # beyond, different numbers are the same float
        raise damaged(path, number, f'the label is {text[:40]!r}, expected a whole number up to 2^53')
    return str(int(value))


def _floats(path: Path, number: int, name: str, texts: list[str]) -> NDArray:
    """Parse numbers, NaN for '?' and 'NaN', ``(T, )`` float64."""
    try:
        values = np.array([float(text) for text in texts])
    except ValueError:
        values = np.array([_float(path, number, f'{name}, value {index}', text) for index, text in enumerate(texts, 1)])
    if np.isinf(values).any():
        raise damaged(path, number, f'{name}, value {int(np.isinf(values).argmax()) + 1} is infinite, expected a number')
    return values


def _float(path: Path, number: int, name: str, text: str) -> float:
    try:
        return float('nan' if text.strip() == '?' else text)
    except ValueError as error:
        raise damaged(path, number, f'{name} is {text[:40]!r}, expected a number') from error
