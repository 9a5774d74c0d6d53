"""Rows of sensors that are stamped on delivery: put in order, timed, and cut at gaps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .even_clock import sampling_times
from .text import damaged
from .tracks import Track, split_at_gaps

__all__ = ['OPEN_END', 'Repairs', 'delivered_tracks', 'order_in_time']

FACTOR = 3  # by which a rate may be off before the unit of the time is doubted
OPEN_END = 'last line(s) without an end: the file may be cut off there'


@dataclass
class Repairs:
    """Repairs in the files of one part, counted: each kind is one note, with the place where it was first made."""

    counts: dict[str, list] = field(default_factory=dict)

    def add(self, kind: str, file: Path, line: int, count: int) -> None:
        """Count repairs of a kind, from a line of a file on."""
        if count:
            entry = self.counts.setdefault(kind, [f'{file}:{line}', 0, set()])
            entry[1] += int(count)
            entry[2].add(str(file))

    def notes(self) -> list[str]:
        """Return a sentence for each kind."""
        return [
            f'{place}: {count:,} {kind}' + (f', from here on in {len(files):,} files' if len(files) > 1 else '')
            for kind, (place, count, files) in self.counts.items()
        ]


def delivered_tracks(
    file: Path, lines: NDArray, stamps: NDArray, values: NDArray, rate: float, gap: float, repairs: Repairs
) -> list[Track]:
    """Put the rows of one sensor in order, give them the times of even sampling, and cut them at gaps.

    Args:
        file (Path): Where the rows are from, for messages.
        lines (ndarray): Line of each row, ``(n, )``.
        stamps (ndarray): When each was delivered, in seconds, ``(n, )``.
        values (ndarray): ``(n, C)``; rows with NaN are left out.
        rate (float): About that of the sensor, in Hz.
        gap (float): Seconds between two samples, above which a new track begins.
        repairs (Repairs): Gets what was repaired.

    Raises:
        ValueError: A value is infinite, a time is missing, or the times make a rate that is far off.
    """
    if not len(stamps):
        return []
    wrong = ~np.isfinite(stamps) | np.isinf(values).any(1)
    if wrong.any():
        row = int(wrong.argmax())
        raise damaged(file, lines[row], f'time {stamps[row]} and values {values[row].tolist()}, expected finite numbers')
    order = order_in_time(file, lines, stamps, repairs)
    lines, stamps, values = lines[order], stamps[order], values[order]
    copies = np.zeros(len(stamps), dtype=bool)
    repeated = np.flatnonzero(np.diff(stamps) == 0) + 1
    copies[repeated] = (values[repeated] == values[repeated - 1]).all(1)
    if copies.any():
        repairs.add('row(s) repeat the row before, time and all, and are left out', file, lines[copies.argmax()], copies.sum())
        lines, stamps, values = lines[~copies], stamps[~copies], values[~copies]
    times = sampling_times(stamps)
    if len(times) > 1:
        _check_rate(file, lines, times, rate)
    same = np.diff(stamps) == 0
    if same.any():
        kind = 'row(s) have the time of the row before: times are those of even sampling, not of delivery'
        repairs.add(kind, file, lines[1:][same.argmax()], same.sum())
    missing = np.isnan(values).any(1)
    if missing.any():
        repairs.add('row(s) with NaN are left out', file, lines[missing.argmax()], missing.sum())
        lines, times, values = lines[~missing], times[~missing], values[~missing]
    return _cut(file, lines, times, values, gap, repairs)


def order_in_time(file: Path, lines: NDArray, stamps: NDArray, repairs: Repairs) -> NDArray:
    """Return the order of rows by their stamps, and count those that come before the row above; all as above, ``(n, )``."""
    back = np.diff(stamps) < 0
    if back.any():
        repairs.add('row(s) come before the one above: rows are sorted by time', file, lines[1:][back.argmax()], back.sum())
    return np.argsort(stamps, kind='stable')


def _check_rate(file: Path, lines: NDArray, times: NDArray, rate: float) -> None:
    step = float(np.median(np.diff(times)))
    if not 1 / FACTOR < step * rate < FACTOR:
        raise damaged(
            file,
            lines[0],
            f'rows are {step:.4g} s apart, expected about {1 / rate:.4g} s; is the time in the unit of the format?',
        )


def _cut(file: Path, lines: NDArray, times: NDArray, values: NDArray, gap: float, repairs: Repairs) -> list[Track]:
    gaps = np.diff(times) > gap
    if gaps.any():
        repairs.add(f'gap(s) of more than {gap:g} s', file, lines[1:][gaps.argmax()], gaps.sum())
    pieces, alone = split_at_gaps(times, gaps)
    if len(alone):
        repairs.add('row(s) that stand alone between gaps are left out', file, lines[alone[0]], len(alone))
    return [(times[piece], values[piece]) for piece in pieces]
