"""The time column of a table: checked against the rate, and cut where samples are missing."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .columns import Columns
from .even_clock import median_step, sampling_times
from .layout import LAYOUT, Layout
from .text import damaged

__all__ = ['SECONDS', 'TOLERANCE', 'count_lost', 'cut_in_time', 'measure_rate', 'read_seconds']

SORT = 'sort the rows, or give every session a file of its own'
RESAMPLE = f"; 'resample: true' under 'time' in {LAYOUT} puts rows on the grid by their stamps"
SECONDS = {'s': 1.0, 'ms': 1e-3, 'ns': 1e-9}
LEAST = 10  # rows from which the rate is checked
NEIGHBOURS = 9  # rows on either side that tell a stamp that is late from a missing sample
BURST = 200  # samples: a longer wait is a gap, whatever comes after it
OFF, OFTEN = 0.2, 0.1  # shares: a clock jitters of which a tenth of the steps are off by a fifth
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

    A stamp that is late, or repeated, is jitter where the stamps after it are on time again: no sample is missing there. Where
    most of a clock is jitter, as a phone's that stamps several samples in one millisecond, the samples are even, see
    :func:`~.even_clock.sampling_times`.

    Args:
        file (Path): Where they come from, for messages.
        columns (Columns): All of the file.
        seconds (ndarray): Time of each of its rows, ``(n, )``.
        rows (ndarray): Places of the subject's rows, ``(m, )``.
        layout (Layout): Says the rate and the longest gap.

    Returns:
        tuple[list[ndarray], list[str]]: Rows of each recording, and notes.

    Raises:
        ValueError: Time goes back by a sample or more, stands still while values change though the clock is even, or runs at
            another rate.
    """
    times = seconds[rows]
    refuse_backwards(file, columns, times, rows, layout)
    copies = find_copies(columns, times, rows)
    distinct = np.delete(rows, copies)
    step = usual_step(seconds[distinct], layout.rate)
    refuse_rate(file, columns, distinct, layout, step)
    try:
        rows, notes = _without_extra(file, columns, times, rows, copies, step, layout)
        lost, more = count_lost(file, columns, seconds[rows], rows, step)
    except ValueError:
        if not _jitters(seconds[distinct], step):
            raise
        rows = distinct
        lost, notes, more = *_count_lost_evenly(file, columns, seconds[rows], rows, layout), []
    for what, chosen in (
        (
            f"more than {layout.gap} sample(s), after each of which a new recording begins ('gap' in {LAYOUT} allows more)",
            lost > layout.gap,
        ),
        (f'at most {layout.gap} sample(s), over which the rows are joined', (lost > 0) & (lost <= layout.gap)),
    ):
        if chosen.any():
            line, count = columns.lines[rows[1:][chosen][0]], chosen.sum()
            notes.append(f'{file}:{line}: {count} gap(s) from here on, of {lost[chosen].max():,.0f} at the longest: {what}')
    return np.split(rows, np.flatnonzero(lost > layout.gap) + 1), notes + more


def refuse_backwards(file: Path, columns: Columns, times: NDArray, rows: NDArray, layout: Layout, cure: str = SORT) -> None:
    """Refuse times ``(m, )`` of rows that go back by a sample or more; the message ends with the cure."""
    steps = np.diff(times)
    wrong = steps <= -1 / layout.rate  # by less, the stamp before was so late that it is after this one
    if wrong.any():
        # No repair: sorting would mix two sessions that are in one file.
        index = int(wrong.argmax()) + 1
        raise damaged(
            file,
            columns.lines[rows[index]],
            f'{layout.time} goes back by {-steps[index - 1]:g} s, expected {1 / layout.rate:g} s more in every row; {cure}',
        )


def find_copies(columns: Columns, times: NDArray, rows: NDArray) -> NDArray:
    """Return the indices of rows that equal the row before, time and all."""
    repeated = np.flatnonzero(np.diff(times) == 0) + 1
    same = [
        np.array_equal(columns.numbers[row], columns.numbers[before], equal_nan=True)
        and all(texts[row] == texts[before] for texts in columns.texts.values())
        for row, before in zip(rows[repeated].tolist(), rows[repeated - 1].tolist())
    ]
    return repeated[np.array(same, dtype=bool)]


def measure_rate(times: NDArray) -> float | None:
    """Return the rate of times that nobody has told the rate of, in Hz; None of too few, and of times that stand still.

    Args:
        times (ndarray): Seconds, ``(n, )``; they may be rounded, given out in bursts, late, or have gaps.
    """
    if len(times) < LEAST:
        return None
    step = median_step(times, 100)
    return 1 / step if step > 0 else None


def usual_step(times: NDArray, rate: float) -> float:
    """Return the usual step in seconds, which is compared with the rate: over the recording, not from row to row."""
    if len(times) < LEAST:
        return 1 / rate
    # Over one row gaps do not count; over many, times that are rounded, to milliseconds for example, average out;
    # so do bursts of rows with one time, of which there are whole ones.
    burst = round(len(times) / len(np.unique(times)))
    spans = [max(1, min(most, len(times) // 4) // burst) * burst for most in (20, 100)]
    steps = [float(np.median(times[over:] - times[:-over])) / over for over in (1, *spans) if over < len(times)]
    return min(steps, key=lambda step: abs(step * rate - 1))


def refuse_rate(file: Path, columns: Columns, rows: NDArray, layout: Layout, step: float) -> None:
    """Refuse a usual step in seconds that is another than the rate's."""
    if abs(step * layout.rate - 1) > TOLERANCE:
        raise damaged(
            file,
            columns.lines[rows[0]],
            f'{layout.time} steps by {step:.4g} s, {1 / step if step else np.inf:.4g} Hz, expected {1 / layout.rate:.4g} s by '
            f'the rate of {layout.rate:g} Hz; is its unit {layout.unit!r}?',
        )


def _jitters(times: NDArray, step: float) -> bool:
    """Return whether the steps of a clock differ from the usual one too often to tell a single row that is one too many."""
    return len(times) >= LEAST and float(np.mean(np.abs(np.diff(times) / step - 1) > OFF)) > OFTEN


def _count_lost_evenly(
    file: Path, columns: Columns, times: NDArray, rows: NDArray, layout: Layout
) -> tuple[NDArray, list[str]]:
    """Return the number of samples that are missing between two rows, which were taken evenly, and a note."""
    taken = sampling_times(np.maximum.accumulate(times))
    step = float(np.median(np.diff(taken)))
    off = np.abs(np.diff(times) / step - 1) > OFF
    note = (
        f'{file}:{columns.lines[rows[1:][off.argmax()]]}: {off.sum():,} step(s) of {layout.time} from here on are off by more '
        f'than a fifth: times are those of delivery, and the rows are taken as even, at {1 / step:.4g} Hz'
    )
    return np.rint(np.diff(taken) / step) - 1, [note]


def _without_extra(
    file: Path, columns: Columns, times: NDArray, rows: NDArray, copies: NDArray, step: float, layout: Layout
) -> tuple[NDArray, list[str]]:
    """Drop copies of rows that are more than time has room for; where time stands still but catches up, rows are kept."""
    starts = np.flatnonzero(np.diff(times, prepend=np.nan) != 0)
    counts = np.diff(starts, append=len(rows))
    starts, counts = starts[counts > 1], counts[counts > 1]  # of the runs of rows with one time
    dropped = find_extra(file, columns, times, rows, copies, starts, counts, step, layout, RESAMPLE)
    if not dropped:
        return rows, []
    line = columns.lines[rows[dropped[0]]]
    note = f'{file}:{line}: {len(dropped)} row(s) from here on repeat the row before, time and all, and are left out'
    return np.delete(rows, dropped), [note]


def find_extra(
    file: Path,
    columns: Columns,
    times: NDArray,
    rows: NDArray,
    copies: NDArray,
    starts: NDArray,
    counts: NDArray,
    step: float,
    layout: Layout,
    cure: str = '',
) -> list[int]:
    """Return the indices of the copies that time has no room for, in the runs of rows with one time from ``starts`` on.

    Raises:
        ValueError: More rows have one time than there is room for, and their values differ; the message ends with the cure.
    """
    ends = starts + counts - 1
    extra = np.minimum(-lateness(times, starts, ends, counts, step), counts - 1)
    dropped: list[int] = []
    for start, end, count in zip(starts.tolist(), ends.tolist(), np.rint(extra).astype(int).tolist()):
        if count > 0:
            same = copies[np.searchsorted(copies, start) : np.searchsorted(copies, end, 'right')].tolist()
            if len(same) < count and end < len(rows) - 1:  # after the last row, nothing says whether time catches up
                row = next(row for row in range(start + 1, end + 1) if row not in same)
                raise damaged(
                    file,
                    columns.lines[rows[row]],
                    f'{layout.time} repeats that of the row before, with other values; expected {1 / layout.rate:g} s more'
                    f'{cure}',
                )
            dropped += same[-count:]
    return dropped


def count_lost(file: Path, columns: Columns, times: NDArray, rows: NDArray, step: float) -> tuple[NDArray, list[str]]:
    """Return the number of samples that are missing between two rows, ``(n - 1, )``, and a note of times that are jitter."""
    lost = np.rint(np.diff(times) / step) - 1
    long = np.flatnonzero((lost > 0) & (lost <= BURST))
    late = np.rint(lateness(times, long, long + 1, lost[long].astype(int) + 1, step))
    kept = lost.copy()
    kept[long] = np.clip(late, 0, lost[long])
    jitter = np.flatnonzero((kept != lost) | (lost < 0))
    kept = np.maximum(kept, 0)
    if not len(jitter):
        return kept, []
    line, most = columns.lines[rows[jitter[0] + 1]], np.abs(np.diff(times)[jitter] - step).max()
    note = (
        f'{file}:{line}: {len(jitter)} step(s) in time from here on are off by up to {most:.3g} s, which later ones make up '
        f"for: jitter by the 'rate' in {LAYOUT}, no missing samples"
    )
    return kept, [note]


def lateness(times: NDArray, before: NDArray, after: NDArray, counts: NDArray, step: float) -> NDArray:
    """Return by how many samples the rows from ``after`` on are later than those up to ``before`` lets expect, ``(m, )``.

    The level on either side is the median over some rows, whole bursts of ``counts`` rows, so that neither a stamp that is late
    nor stamps that are given out in bursts pass for missing samples.
    """
    excess = times / step - np.arange(len(times))
    late = np.zeros(len(before))
    for count in np.unique(counts):
        chosen = np.flatnonzero(counts == count)
        span = np.arange(neighbours_of(count))
        levels = []
        for rows in (before[chosen, None] - span, after[chosen, None] + span):
            within = (rows >= 0) & (rows < len(times))
            levels.append(np.where(within, excess[np.clip(rows, 0, len(times) - 1)], np.nan))
        late[chosen] = np.nanmedian(levels[1], axis=1) - np.nanmedian(levels[0], axis=1)
        first = before[chosen] == 0  # a burst with which the recording begins: there is no level before
        late[chosen[first]] = np.nanmax(levels[1][first], axis=1) - excess[0]
    return late


def neighbours_of(count: int) -> int:
    """Return the rows on either side that tell a burst of ``count`` rows, or as many missing samples, from jitter."""
    return count * max(2, -(-NEIGHBOURS // count))
