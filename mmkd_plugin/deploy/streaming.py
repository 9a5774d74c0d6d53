"""Decisions by an exported student while samples come in, equal to those on the whole recording."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import numpy as np
import torch
from mmengine.logging import print_log
from numpy.typing import ArrayLike, NDArray

from mmkd_plugin.datasets.readers.arrays import check_samples
from mmkd_plugin.datasets.readers.live_clock import LiveClock
from mmkd_plugin.datasets.readers.resampling import Resampling
from mmkd_plugin.structures import check_number, check_whole

from .decisions import Decision
from .holding import Hold, RunningVotes
from .inputs import check_rate
from .student import Student, load_student

__all__ = ['StreamingInferencer']


class StreamingInferencer:
    """Classification of samples as they come, by an exported student.

    For example::

        from mmkd_plugin.deploy import StreamingInferencer

        stream = StreamingInferencer('student_best.pth')
        for samples in sensor:  # (n, C) with any n
            for row in stream.push(samples):
                print(row['start'], row['class'])

    Decisions are dicts as those of :class:`~mmkd_plugin.deploy.SignalInferencer`, and equal to its with ``batch_size=1`` bit
    for bit: windows are run one by one, so that the pieces in which samples come change nothing. Seconds count from the first
    sample. With time stamps, a recording ends at a gap and repeated samples are left out, as in a table; a clock that goes
    back by a sample or more is an error, and :meth:`begin` begins anew. Memory is bounded: a window of samples, and a few
    thousand of the last samples with their time stamps.

    Args:
        student (Student | str | Path): A student, or the file of one.
        hop (int, optional): Samples, at the contract's rate, from the start of a window to that of the next; by default the
            contract's.
        rate (float, optional): Of the samples, in Hz; by default the contract's. Samples of another rate are resampled.
        gap (int): Samples that may be missing by the time stamps without an end of the recording.
        clock (float, optional): Rate by which the time stamps run, in Hz, where it is known; by default it is measured over the
            last thousand samples. A table's is known as a whole.
        vote (str, optional): 'mean' averages the probabilities of all windows that cover a stretch of time.
        threshold (float): Probability that a class needs to take the place of another.
        hold (int): Decisions in a row that must have the other class first.
        minimum (float): Seconds for which a class stays at least.
        name (str): The source in the decisions, and in messages.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no exported student, or an option is out of range.
    """

    def __init__(
        self,
        student: Student | str | os.PathLike,
        hop: int | None = None,
        *,
        rate: float | None = None,
        gap: int = 0,
        clock: float | None = None,
        vote: str | None = None,
        threshold: float = 0.0,
        hold: int = 1,
        minimum: float = 0.0,
        name: str = 'stream',
    ) -> None:
        self.student = student if isinstance(student, Student) else load_student(os.fspath(student))
        self.contract = self.student.contract
        self.hop = self.contract.hop if hop is None else check_whole('hop', hop)
        self.rate = self.contract.rate if rate is None else rate
        check_number('rate', self.rate, above=0)
        check_rate(name, self.rate, self.contract.rate)
        if vote not in (None, 'mean'):
            raise ValueError(f"vote must be 'mean' or None, got {vote!r}")
        self.gap, self.vote, self.name = check_whole('gap', gap, 0), vote, name
        self.clock = None if clock is None else check_number('clock', clock, above=0)
        self.hold = Hold(threshold, hold, minimum)
        self.gaps = self.repeated = 0  # recordings that ended at a gap, samples that were left out
        self._ring = np.zeros((self.contract.window, len(self.contract.channels)), np.float32)
        self.begin()

    def begin(self, recording: str = '', seconds: float = 0.0) -> None:
        """Begin anew, and forget samples that have not become a decision.

        Args:
            recording (str): Its name in the decisions; recordings after a gap get a number behind.
            seconds (float): Of its first sample.
        """
        self._name, self._recording, self._number = recording, recording, 0
        self._offset, self._clock = seconds, LiveClock(self.rate, self.gap, self.name, self.clock)
        self._stamped: bool | None = None
        self._dropped = 0
        self._begin_recording(seconds)

    def push(self, samples: ArrayLike, times: ArrayLike | None = None) -> list[dict]:
        """Take samples and return the decisions that they complete.

        Args:
            samples (ArrayLike): ``(n, C)``, as recorded, in the units and the order of the contract; n may be 0.
            times (ArrayLike, optional): Time of each in seconds, ``(n, )``; in every call or in none.

        Returns:
            list[dict]: In the order of time.

        Raises:
            ValueError: The samples do not fit the contract or are NaN, or time goes back, stands still while values change or
                runs at another rate. Of samples of a wrong shape, NaN, and a clock that goes back, nothing is taken.
        """
        values = self._check(samples)
        stamps = self._check_times(times, len(values))
        if not len(values):
            return []
        self._stamped = stamps is not None
        decisions: list[dict] = []
        if stamps is None:
            decisions += self._take(values)
        else:
            for rows in self._clock.add(stamps, values):
                decisions += self._take_rows(*rows)
            self._say_repeated()
        return decisions

    def end(self) -> list[dict]:
        """Return the last decisions, and begin anew: what is pushed next is another recording."""
        decisions: list[dict] = []
        if self._stamped:
            for rows in self._clock.end():
                decisions += self._take_rows(*rows)
            self._say_repeated()
        decisions += self._end_recording()
        self.begin()
        return decisions

    def latest(self) -> tuple[float, NDArray]:
        """Return the last samples of the recording at the contract's rate, for those who draw them.

        Returns:
            tuple[float, ndarray]: Seconds of the first, and ``(n, C)`` in the order of time, where n is a window or, before the
            first window is full, less.
        """
        count = min(self._count, len(self._ring))
        rows = np.arange(self._count - count, self._count)
        return self._begin + (self._count - count) / self.contract.rate, self._ring[rows % len(self._ring)]

    def _check(self, samples: ArrayLike) -> NDArray:
        shape = np.shape(samples)
        if len(shape) == 2 and shape == (0, len(self.contract.channels)):
            return np.empty(shape, np.float32)
        return check_samples(self.name, samples, self.contract.channels)

    def _check_times(self, times: ArrayLike | None, count: int) -> NDArray | None:
        if self._stamped is not None and count and (times is not None) != self._stamped:
            raise ValueError(f'{self.name}: time stamps must come with all samples of a recording or with none')
        if times is None:
            return None
        stamps = np.asarray(times)
        if stamps.dtype.kind not in 'fiu' or stamps.shape != (count,) or not np.isfinite(stamps).all():
            raise ValueError(f'{self.name}: times must be seconds, one for each of the {count} samples, none of them NaN')
        return stamps.astype(np.float64)

    def _take_rows(self, begins: bool, seconds: float, values: NDArray) -> Iterator[dict]:
        if begins and seconds:
            yield from self._end_recording()
            self.gaps += 1
            self._number += 1
            self._recording = f'{self._name} {self._number}'.strip()
            self._begin_recording(self._offset + seconds)
        yield from self._take(values)

    def _say_repeated(self) -> None:
        more, self._dropped = self._clock.dropped - self._dropped, self._clock.dropped
        if more and not self.repeated:  # once: a stream may run for days
            message = f'{self.name}: samples repeat the one before, time and all, and are left out'
            print_log(message, 'current', logging.WARNING)
        self.repeated += more

    def _begin_recording(self, seconds: float) -> None:
        channels = len(self.contract.channels)
        same = self.rate == self.contract.rate
        self._grid = None if same else Resampling(self.rate, self.contract.rate, channels)
        self._begin, self._count, self._start = seconds, 0, 0  # samples on the grid, and the first of the next window
        self._votes = RunningVotes()
        self.hold.begin()

    def _end_recording(self) -> Iterator[dict]:
        if self._grid is not None:
            yield from self._decide(self._grid.end())
        if self.vote:
            yield from map(self._row, self._votes.end())

    def _take(self, values: NDArray) -> Iterator[dict]:
        yield from self._decide(values if self._grid is None else self._grid.add(values))

    def _decide(self, values: NDArray) -> Iterator[dict]:
        """Put samples on the grid into the ring, and run the student on every window that is full."""
        length, rate = self.contract.window, self.contract.rate
        while len(values):
            taken, values = np.split(values, [self._start + length - self._count])
            last = taken[-length:]
            self._count += len(taken)
            self._ring[np.arange(self._count - len(last), self._count) % length] = last
            if self._count < self._start + length:
                return
            window = np.roll(self._ring, -(self._count % length), axis=0)
            signal = torch.from_numpy(np.ascontiguousarray(window.T))[None]  # (1, C, T)
            first, end = self._begin + self._start / rate, self._begin + (self._start + length) / rate
            (shares,) = self.student.probabilities(signal)
            decision = Decision(self.name, self._recording, first, end, shares)
            self._start += self.hop
            yield from map(self._row, self._votes.add(decision) if self.vote else [decision])

    def _row(self, decision: Decision) -> dict:
        return decision.to_dict(self.contract.classes, self.hold.choose(decision))
