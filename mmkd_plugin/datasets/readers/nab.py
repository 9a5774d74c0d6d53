"""The Numenta anomaly benchmark, in its repository's layout."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from ..recordings import Recording
from .base import Part, Reader
from .text import damaged, read_lines

__all__ = ['NAB']

ANOMALY = 'anomaly'
HEADER = 'timestamp,value'
FILLED = 12  # samples, an hour of most series: longer gaps are not guessed


@TASK_UTILS.register_module()
class NAB(Reader):
    """Series of one category, each cut in time and where an anomaly begins or ends.

    Lavin & Ahmad, ICMLA 2015 (arXiv:1510.03336); MIT licence. There are no subjects: every series is cut into an early, a
    middle and a late part, which take their place. Each series is scaled to mean 0 and standard deviation 1 by the normal
    samples of its early part, because the series are of different things. Classes are the names of the series, and 'anomaly'.
    One channel; the rate is that of most series, a sample in 5 minutes.

    Args:
        root (str | Path): Folder that holds ``data/`` and ``labels/combined_windows.json``.
        category (str): Folder below ``data/``.
        early (float): Share of every series that is for training.
        middle (float): Share after it that is for validation; the rest is for the test.

    Raises:
        ValueError: The parts leave nothing for the test.
    """

    channels = ('value',)
    rate = 1 / 300
    has_subjects = False

    def __init__(self, root: str | Path, category: str = 'realKnownCause', early: float = 0.4, middle: float = 0.2) -> None:
        super().__init__(root)
        if not (early > 0 and middle > 0 and early + middle < 1):
            raise ValueError(f'early and middle are shares of every series and leave a rest; got {early} and {middle}')
        self.category, self.early, self.middle = category, early, middle

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the series, and 'anomaly'."""
        return (*self.parts(), ANOMALY)

    @property
    def labels(self) -> Path:
        """The file of labelled windows."""
        return self.root / 'labels' / 'combined_windows.json'

    def parts(self) -> list[str]:
        """Return the names of the series, which have one file each."""
        folder = self.root / 'data' / self.category
        for path in (self.labels, folder):
            if not path.exists():
                raise FileNotFoundError(
                    f'{path} does not exist: root must be a copy of github.com/numenta/NAB with data/ and labels/ in it'
                )
        names = sorted(path.stem for path in folder.glob('*.csv') if not path.name.startswith('.'))  # hidden files of a Mac
        if not names:
            raise FileNotFoundError(f'{folder} holds no series (*.csv)')
        return names

    def files(self) -> list[Path]:
        """Return the files of the series, and that of the labels."""
        return [self._file(part) for part in self.parts()] + [self.labels]

    def notes(self) -> list[str]:
        """Name series that have labels and no file."""
        known = {f'{self.category}/{part}.csv' for part in self.parts()}
        absent = sorted(key for key in self._windows() if key.startswith(f'{self.category}/') and key not in known)
        return [f'{self.labels} names series that are absent: {", ".join(absent)}'] if absent else []

    def read(self, part: str) -> Part:
        """Read one series and cut it."""
        times, values, notes = _read_series(self._file(part))
        wrong = self._labelled(part, times)
        borders = [0, round(self.early * len(values)), round((self.early + self.middle) * len(values)), len(values)]
        known = values[: borders[1]][~wrong[: borders[1]]]
        if len(known) < 2 or not known.std() > 0:
            raise ValueError(
                f'{self._file(part)}: the early part has no normal samples that vary, so that the series cannot be scaled'
            )
        scaled = ((values - known.mean()) / known.std()).astype(np.float32)[:, None]  # (T, 1)
        label, recordings = self.parts().index(part), []
        for subject, start, stop in zip(('early', 'middle', 'late'), borders, borders[1:]):
            for anomalous, run in groupby(range(start, stop), key=lambda t: bool(wrong[t])):
                first, *rest = run
                segment = np.ascontiguousarray(scaled[first : first + 1 + len(rest)])
                which = len(self.classes) - 1 if anomalous else label
                recordings.append(Recording(segment, which, subject, f'{part}:{subject}:{first}'))
        return Part(tuple(recordings), tuple(notes))

    def _file(self, part: str) -> Path:
        return self.root / 'data' / self.category / f'{part}.csv'

    def _windows(self) -> dict:
        try:
            windows = json.loads('\n'.join(read_lines(self.labels)))
        except json.JSONDecodeError as error:
            raise damaged(self.labels, error.lineno, f'no JSON: {error.msg}') from error
        except (RecursionError, ValueError) as error:  # a number of thousands of digits is one that Python refuses
            reason = 'nested too deeply' if isinstance(error, RecursionError) else str(error)
            raise damaged(self.labels, 1, f'no JSON that can be read: {reason}') from error
        if not isinstance(windows, dict) or not all(isinstance(each, list) for each in windows.values()):
            raise ValueError(f'{self.labels}: expected a list of windows for every series, by its name')
        return windows

    def _labelled(self, part: str, times: list[datetime]) -> NDArray:
        """Return whether each sample lies in a labelled anomaly window, both ends included, ``(T, )``."""
        stamps = np.array(times, dtype='datetime64[us]')
        wrong = np.zeros(len(times), dtype=bool)
        key = f'{self.category}/{part}.csv'
        for window in self._windows().get(key, []):
            try:
                begin, end = (np.datetime64(datetime.fromisoformat(stamp), 'us') for stamp in window)
            except (TypeError, ValueError) as error:
                raise ValueError(f'{self.labels}: {key} has the window {window}, expected two timestamps') from error
            inside = (stamps >= begin) & (stamps <= end)
            if not inside.any():
                raise ValueError(f'{self.labels}: {key} has the window {window}, in which the series has no sample')
            wrong |= inside
        return wrong


def _read_series(file: Path) -> tuple[list[datetime], NDArray, list[str]]:
    """Read times, values ``(T, )`` float64 without gaps, and notes."""
    lines = read_lines(file)
    if lines[0].strip() != HEADER:
        raise damaged(file, 1, f'the header is {lines[0][:60]!r}, expected {HEADER!r}')
    times, values, notes = [], np.empty(len(lines) - 1), []
    if not file.read_bytes().endswith(b'\n'):  # so does one series of the original, whole
        notes.append(f'{file}:{len(lines)}: the last line has no end: the file may be cut off there')
    for row, line in enumerate(lines[1:]):
        fields = line.split(',')
        if len(fields) != 2:
            raise damaged(file, row + 2, f'{len(fields)} columns, expected {HEADER}')
        try:
            times.append(datetime.fromisoformat(fields[0]))
            values[row] = float(fields[1])
        except ValueError as error:
            raise damaged(file, row + 2, f'{line[:60]!r}, expected a timestamp and a number') from error
    if not times:
        raise damaged(file, 2, 'the file has no row')
    steps = np.diff(np.array(times, dtype='datetime64[us]')).astype(np.int64)
    for problem, odd in (('repeats', steps == 0), ('goes back', steps < 0)):
        if odd.any():
            # Daylight saving does this in published series; the benchmark, too, takes rows in their order.
            first = int(odd.argmax()) + 3
            notes.append(f'{file}:{first}: the timestamp {problem} ({odd.sum()} time(s)); rows are taken in their order')
    return times, _filled(file, values, notes), notes


def _filled(file: Path, values: NDArray, notes: list[str]) -> NDArray:
    """Fill short gaps along a straight line."""
    good = np.isfinite(values)
    if good.all():
        return values
    for missing, run in groupby(range(len(values)), key=lambda t: not good[t]):
        first, *rest = run
        if missing and len(rest) + 1 > FILLED:
            raise damaged(file, first + 2, f'{len(rest) + 1} values are missing in a row, expected at most {FILLED}')
        if missing:
            notes.append(f'{file}:{first + 2}: {len(rest) + 1} missing value(s) filled along a straight line')
    indices = np.arange(len(values))
    return np.interp(indices, indices[good], values[good])
