"""Rows of the files of WISDM 2019: read fast, checked, and put in order."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .text import damaged, read_lines

__all__ = ['ACTIVITIES', 'ROW', 'in_order', 'read_rows']

# There is no N. Names are those of the archive's activity_key.txt.
ACTIVITIES = {
    **dict(A='walking', B='jogging', C='stairs', D='sitting', E='standing', F='typing', G='teeth', H='soup', I='chips'),
    **dict(J='pasta', K='drinking', L='sandwich', M='kicking', O='catch', P='dribbling', Q='writing', R='clapping'),
    **dict(S='folding'),
}
COLUMNS = ('subject', 'activity', 'timestamp', 'x', 'y', 'z')
ROW = np.dtype([('subject', 'i8'), ('activity', 'S2'), ('time', 'i8'), ('x', 'f8'), ('y', 'f8'), ('z', 'f8')])


def read_rows(path: Path, subject: str) -> tuple[NDArray, NDArray]:
    """Read the rows of a file, ``(n, )`` of :data:`ROW`, and their lines, counted from 1.

    The file is read at the speed of numpy; only if anything is unusual, line by line, to name the line.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is damaged; the message is ``<file>:<line>: <what came, what was expected>``.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    data = path.read_bytes()
    open_end = data.endswith(b';')
    count = data.count(b';')
    if count and count == data.count(b';\n') + open_end == data.count(b'\n') + open_end:
        try:
            with warnings.catch_warnings():  # before 2.3, numpy only warns of integers that it reads through a float
                warnings.simplefilter('error', DeprecationWarning)
                rows = np.loadtxt(path, ROW, delimiter=',', comments=';', ndmin=1, encoding='utf-8')
            known = np.isin(rows['activity'], [code.encode() for code in ACTIVITIES]) & (rows['subject'] == int(subject))
            if len(rows) == count and known.all() and not np.isinf(_xyz(rows)).any():
                return rows, np.arange(1, count + 1)
        except (ValueError, DeprecationWarning):
            pass  # the slow way below finds the line
    numbered = [(number, line) for number, line in enumerate(read_lines(path), 1) if line.strip()]
    parsed = [_row(path, number, line, subject) for number, line in numbered]
    return np.array(parsed, ROW), np.array([number for number, _ in numbered])


def _row(path: Path, number: int, line: str, subject: str) -> tuple:
    text = line.strip()
    if not text.endswith(';'):
        raise damaged(path, number, f"the line must end with ';', got {text[-20:]!r}")
    fields = [field.strip() for field in text[:-1].split(',')]
    if len(fields) != len(COLUMNS):
        raise damaged(path, number, f'{len(fields)} columns in {text[:60]!r}, expected {",".join(COLUMNS)};')
    if fields[0] != subject:
        raise damaged(path, number, f'subject {fields[0][:40]!r}, expected {subject} as in the name of the file')
    if fields[1] not in ACTIVITIES:
        raise damaged(path, number, f'activity {fields[1][:40]!r}, expected one of {", ".join(ACTIVITIES)}')
    try:
        time = np.int64(int(fields[2]))
    except (ValueError, OverflowError) as error:
        raise damaged(path, number, f'timestamp is {fields[2][:40]!r}, expected whole nanoseconds') from error
    values = []
    for name, field in zip('xyz', fields[3:]):
        try:
            values.append(float(field))
        except ValueError as error:
            raise damaged(path, number, f'{name} is {field[:40]!r}, expected a number') from error
        if np.isinf(values[-1]):
            raise damaged(path, number, f'{name} is {field[:40]!r}, expected a finite number')
    return (int(fields[0]), fields[1].encode(), time, *values)


def _xyz(rows: NDArray) -> NDArray:
    """``(n, 3)``."""
    return np.stack([rows[axis] for axis in 'xyz'], axis=1)


def in_order(path: Path, rows: NDArray, lines: NDArray, notes: list[str]) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Sort rows by activity and time, each time once, without NaN; repairs are noted.

    Args:
        path (Path): Where they are from.
        rows (ndarray): ``(n, )`` of :data:`ROW`.
        lines (ndarray): ``(n, )``, counted from 1.
        notes (list[str]): Gets what was repaired.

    Returns:
        tuple[ndarray, ndarray, ndarray, ndarray]: Activity, time in nanoseconds, values ``(m, 3)`` and line of each row.
    """
    values = _xyz(rows)
    missing = np.isnan(values).any(1)
    if missing.any():
        notes.append(f'{path}:{lines[missing.argmax()]}: {missing.sum():,} row(s) with NaN are left out')
    columns = [column[~missing] for column in (rows['activity'], rows['time'], values, lines)]

    activity, times, values, lines = (column[np.argsort(columns[0], kind='stable')] for column in columns)
    back = (activity[1:] == activity[:-1]) & (np.diff(times) < 0)
    if back.any():
        problem = f'the timestamp goes back ({back.sum():,} time(s)); rows of an activity are sorted by time'
        notes.append(f'{path}:{lines[1:][back.argmax()]}: {problem}')

    order = np.lexsort((times, activity))
    activity, times, values, lines = (column[order] for column in (activity, times, values, lines))
    again = np.zeros(len(times), dtype=bool)
    again[1:] = (activity[1:] == activity[:-1]) & (np.diff(times) == 0)
    if again.any():
        first = np.flatnonzero(~again)
        counts = np.diff([*first, len(times)])
        differ = again & (values != np.repeat(values[first], counts, axis=0)).any(1)
        problem = f'{again.sum():,} row(s) repeat a timestamp, {differ.sum():,} with other values; the mean is kept'
        notes.append(f'{path}:{lines[again.argmax()]}: {problem}')
        values = np.add.reduceat(values, first) / counts[:, None]
        activity, times, lines = activity[first], times[first], lines[first]
    return activity, times, values, lines
