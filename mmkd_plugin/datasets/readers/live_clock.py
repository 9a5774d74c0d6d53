"""The clock of a stream: rows checked and cut by their time as those of a table, as soon as the rows after them tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .clock import (
    BURST,
    LEAST,
    TOLERANCE,
    find_copies,
    find_extra,
    lateness,
    neighbours_of,
    refuse_backwards,
    refuse_rate,
    usual_step,
)
from .columns import Columns
from .layout import Layout
from .text import damaged

__all__ = ['LiveClock', 'Rows']

CONTEXT = 1000  # rows that are kept before those that wait: what the longest burst or gap is held against, on either side
LONGEST = CONTEXT // 2  # rows with one time
SURE = 200  # rows from which another rate ends the stream; the first few may be a burst
AGAIN = 'begin() starts another recording'
OFTEN = 500  # rows between two measurements of the step


class Rows(NamedTuple):
    """Rows of a stream that belong together.

    Attributes:
        begins (bool): Whether a recording begins with them.
        seconds (float): Of the first, since the first row of the stream.
        values (ndarray): ``(n, C)``.
    """

    begins: bool
    seconds: float
    values: NDArray


class _Waiting:
    """Rows of which the first ``done`` have left; enough of these are kept to judge the others."""

    def __init__(self) -> None:
        self.times, self.numbers, self.values = np.empty(0), np.empty(0, np.int64), np.empty((0, 0))
        self.done = 0

    def __len__(self) -> int:
        return len(self.times)

    def append(self, times: NDArray, numbers: NDArray, values: NDArray) -> None:
        if self.done > 4 * CONTEXT or not len(self):
            gone = max(0, self.done - CONTEXT)
            self.done -= gone
            kept = self.values[gone:] if len(self) else values[:0]
            self.times, self.numbers, self.values = self.times[gone:], self.numbers[gone:], kept
        self.times = np.concatenate([self.times, times])
        self.numbers = np.concatenate([self.numbers, numbers])
        self.values = np.concatenate([self.values, values])

    def columns(self, begin: int, end: int) -> Columns:
        """Return rows as a table has them."""
        numbers = np.column_stack([self.values[begin:end], self.times[begin:end]])
        return Columns(numbers, {}, self.numbers[begin:end])


class LiveClock:
    """Rows that come one after another with their times, treated as :func:`~.clock.cut_in_time` treats those of a table.

    A row waits only where its time is repeated or late: until so many rows have come after it as tell a gap from jitter, ten or
    twice the burst or the gap. In which pieces rows come changes nothing. The usual step, which a table tells as a whole, is
    measured over the last thousand rows. A clock that jitters so much that a table is taken as even is refused: only the stamps
    that are still to come tell how late the last one is.

    Args:
        rate (float): In Hz.
        gap (int): Samples that may be missing between two rows of one recording.
        name (str): Of the stream, for messages.
        clock (float, optional): Rate by which the times run, in Hz, where it is known; then nothing is measured.
    """

    def __init__(self, rate: float, gap: int = 0, name: str = 'stream', clock: float | None = None) -> None:
        self.layout = Layout((), rate, None, None, time='time', gap=gap)
        self.file = Path(name)
        self.clock, self.step = clock, 1 / (clock or rate)
        self.received = self.dropped = 0
        self.first = 0.0
        self._due = LEAST
        self._raw, self._distinct = _Waiting(), _Waiting()

    def add(self, times: NDArray, values: NDArray) -> Iterator[Rows]:
        """Take rows, and return those that are known to belong to a recording.

        Args:
            times (ndarray): Seconds, ``(n, )``, finite.
            values (ndarray): ``(n, C)``.

        Raises:
            ValueError: Time goes back by a sample or more, stands still, or runs at another rate.
        """
        self._check(times, values)
        if not self.received and len(times):
            self.first = float(times[0])
        seconds = times - self.first
        begin = 0
        while begin < len(seconds):
            end = min(len(seconds), begin + self._due - self.received)
            numbers = np.arange(self.received + 1, self.received + 1 + end - begin)
            self._raw.append(seconds[begin:end], numbers, values[begin:end])
            self.received += end - begin
            begin = end
            yield from self._advance()
            if self.received == self._due:
                self._measure(self.received >= SURE)
                self._due = min(2 * self._due, self._due + OFTEN)

    def end(self) -> Iterator[Rows]:
        """Return the rows that still wait: no more will come."""
        yield from self._advance(final=True)
        if self.received:
            self._measure(self.received >= LEAST)

    def _check(self, times: NDArray, values: NDArray) -> None:
        """Refuse rows before any of them is taken."""
        before = self._raw.times[-1:] + self.first
        every = np.concatenate([before, times])
        lines = np.arange(self.received + 1 - len(before), self.received + 1 + len(times))
        refuse_backwards(self.file, Columns(every[:, None], {}, lines), every, np.arange(len(every)), self.layout, AGAIN)

    def _measure(self, sure: bool) -> None:
        rows = self._distinct
        step = 1 / self.clock if self.clock else usual_step(rows.times[-CONTEXT:], self.layout.rate)
        if abs(step * self.layout.rate - 1) <= TOLERANCE:
            self.step = step
        elif sure:
            columns = rows.columns(max(0, len(rows) - CONTEXT), len(rows))
            refuse_rate(self.file, columns, np.arange(len(columns.lines)), self.layout, step)

    def _advance(self, final: bool = False) -> Iterator[Rows]:
        for begin, end, dropped in self._runs(final):
            chosen = np.delete(np.arange(begin, end), dropped)
            raw = self._raw
            self._distinct.append(raw.times[chosen], raw.numbers[chosen], raw.values[chosen])
            self.dropped += len(dropped)
        rows = self._distinct
        for begin, end, begins in self._pieces(final):
            yield Rows(begins, float(rows.times[begin]), rows.values[begin:end])

    def _runs(self, final: bool) -> Iterator[tuple[int, int, list[int]]]:
        """Give ranges of rows and, among them, those that repeat a row that time has no room for."""
        rows = self._raw
        while rows.done < len(rows):
            begin, before = rows.done, max(rows.done - 1, 0)
            repeated = np.flatnonzero(np.diff(rows.times[before:]) == 0)
            rows.done = before + int(repeated[0]) + 1 if len(repeated) else len(rows)
            if rows.done > begin:
                yield begin, rows.done, []
            if not len(repeated):
                return
            start = rows.done - 1
            later = np.flatnonzero(rows.times[start:] != rows.times[start])
            end = start + int(later[0]) if len(later) else len(rows)
            count = end - start
            if count > LONGEST:
                raise damaged(self.file, int(rows.numbers[start]), f'time stands still for more than {LONGEST} samples')
            if not final and (not len(later) or end - 1 + neighbours_of(count) > len(rows)):
                return
            dropped = self._extra(start, count)
            begin, rows.done = rows.done, end
            yield begin, end, [row - begin for row in dropped]

    def _extra(self, start: int, count: int) -> list[int]:
        rows = self._raw
        columns = rows.columns(0, len(rows))
        run = np.arange(start, start + count)
        copies = find_copies(columns, rows.times[run], run) + start
        each = np.array([start]), np.array([count])
        return find_extra(self.file, columns, rows.times, np.arange(len(rows)), copies, *each, self.step, self.layout)

    def _pieces(self, final: bool) -> Iterator[tuple[int, int, bool]]:
        """Give ranges of rows, and whether a recording begins with them."""
        rows = self._distinct
        while rows.done < len(rows):
            begin, before = rows.done, max(rows.done - 1, 0)
            lost = np.rint(np.diff(rows.times[before:]) / self.step) - 1
            odd = np.flatnonzero(lost > 0)
            rows.done = before + int(odd[0]) + 1 if len(odd) else len(rows)
            if rows.done > begin:
                yield begin, rows.done, self._is_first(begin)
            if not len(odd):
                return
            row, missing = rows.done, lost[odd[0]]
            if missing <= BURST:
                count = int(missing) + 1
                if not final and row + neighbours_of(count) > len(rows):
                    return
                late = lateness(rows.times, np.array([row - 1]), np.array([row]), np.array([count]), self.step)
                missing = np.clip(np.rint(late[0]), 0, missing)
            rows.done += 1
            yield row, row + 1, bool(missing > self.layout.gap)

    def _is_first(self, row: int) -> bool:
        return row == 0 and self._distinct.numbers[0] == 1
