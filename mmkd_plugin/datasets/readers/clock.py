"""The time column of a table: checked against the rate, and cut where samples are missing."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .columns import Columns
from .layout import Layout
from .text import damaged

__all__ = ['cut_in_time', 'read_seconds']

SECONDS = {'s': 1.0, 'ms': 1e-3, 'ns': 1e-9}
LEAST = 10  # rows from which the rate is checked
TOLERANCE = 0.1  # share of the rate: clocks of sensors differ by a few per cent, a wrong unit by much more


def read_seconds(file: Path, columns: Columns, layout: Layout) -> NDArray:
    """Return the time of each row in seconds since the first, ``(n, )`` float64.

    Raises:
        ValueError: A time is missing, or is no date and time where the unit is 'iso'.
    """
    if layout.unit == 'iso':
        stamps = _stamps(file, columns, str(layout.time))
        absent, seconds = np.isnat(stamps), (stamps - stamps[0]) / np.timedelta64(1, 's')
    else:
        times = columns.numbers[:, -1]
        absent, seconds = np.isnan(times), (times - times[0]) * SECONDS[layout.unit]
    if absent.any():
        raise damaged(file, columns.lines[absent.argmax()], f'{layout.time} is missing, expected a time')
    return seconds


def _stamps(file: Path, columns: Columns, name: str) -> NDArray:
    texts = columns.texts[name]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # numpy warns of time zones; it turns them into UTC, which is what is wanted
        try:
            return np.array(texts, dtype='datetime64[ns]')
        except ValueError:
            for line, text in zip(columns.lines, texts):
                try:
                    np.datetime64(text, 'ns')
                except ValueError as error:
                    raise damaged(file, line, f'{name} is {text[:40]!r}, expected a date and time (ISO 8601)') from error
            raise


def cut_in_time(
    file: Path, columns: Columns, seconds: NDArray, rows: NDArray, layout: Layout
) -> tuple[list[NDArray], list[str]]:
    """Cut the rows of one subject where too many samples are missing, and leave out rows that occur twice.

    Args:
        file (Path): Where they come from, for messages.
        columns (Columns): All of the file.
        seconds (ndarray): Time of each of its rows, ``(n, )``.
        rows (ndarray): Places of the subject's rows, ``(m, )``.
        layout (Layout): Says the rate and the longest gap.

    Returns:
        tuple[list[ndarray], list[str]]: Rows of each recording, and notes.

    Raises:
        ValueError: Time goes back, stands still while values change, or runs at another rate.
    """
    notes: list[str] = []
    rows = _without_repeated(file, columns, seconds, rows, layout, notes)
    _check_rate(file, columns, seconds[rows], rows, layout)
    lost = np.rint(np.diff(seconds[rows]) * layout.rate) - 1  # samples between two rows
    for what, chosen in (
        (f'more than {layout.gap} sample(s), after each of which a new recording begins', lost > layout.gap),
        (f'at most {layout.gap} sample(s), over which the rows are joined', (lost > 0) & (lost <= layout.gap)),
    ):
        if chosen.any():
            line, count = columns.lines[rows[1:][chosen][0]], chosen.sum()
            notes.append(f'{file}:{line}: {count} gap(s) from here on, of {lost[chosen].max():,.0f} at the longest: {what}')
    return np.split(rows, np.flatnonzero(lost > layout.gap) + 1), notes


def _without_repeated(
    file: Path, columns: Columns, seconds: NDArray, rows: NDArray, layout: Layout, notes: list[str]
) -> NDArray:
    """Drop rows that repeat the row before, time and all."""
    steps = np.diff(seconds[rows])
    if (steps < 0).any():
        # No repair: sorting would mix two sessions that are in one file.
        index = int((steps < 0).argmax()) + 1
        raise damaged(
            file,
            columns.lines[rows[index]],
            f'{layout.time} goes back by {-steps[index - 1]:g} s, expected {1 / layout.rate:g} s more in every row; sort the '
            'rows, or give every session a file of its own',
        )
    repeated = np.flatnonzero(steps == 0) + 1
    for index in repeated.tolist():
        row, before = rows[index], rows[index - 1]
        same = np.array_equal(columns.numbers[row], columns.numbers[before], equal_nan=True)
        if not same or any(texts[row] != texts[before] for texts in columns.texts.values()):
            raise damaged(
                file,
                columns.lines[row],
                f'{layout.time} repeats that of the row before, with other values; expected {1 / layout.rate:g} s more',
            )
    if len(repeated):
        line = columns.lines[rows[repeated[0]]]
        notes.append(
            f'{file}:{line}: {len(repeated)} row(s) from here on repeat the row before, time and all, and are left out'
        )
    return np.delete(rows, repeated)


def _check_rate(file: Path, columns: Columns, seconds: NDArray, rows: NDArray, layout: Layout) -> None:
    """Compare the usual step with the rate."""
    if len(rows) < LEAST:
        return
    # Over one row gaps do not count; over many, times that are rounded, to milliseconds for example, average out.
    steps = [float(np.median(seconds[over:] - seconds[:-over])) / over for over in (1, min(100, len(rows) // 4))]
    step = min(steps, key=lambda step: abs(step * layout.rate - 1))
    if abs(step * layout.rate - 1) > TOLERANCE:
        raise damaged(
            file,
            columns.lines[rows[0]],
            f'{layout.time} steps by {step:.4g} s, {1 / step:.4g} Hz, expected {1 / layout.rate:.4g} s by the rate of '
            f'{layout.rate:g} Hz; is its unit {layout.unit!r}?',
        )
