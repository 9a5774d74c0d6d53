"""The Numenta anomaly benchmark, in its repository's layout."""

from __future__ import annotations

import csv
import functools
import json
from datetime import datetime
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..recordings import Recording, Recordings

__all__ = ['read_numenta']

ANOMALY = 'anomaly'


@functools.lru_cache(maxsize=4)
def read_numenta(root: str, category: str, early: float = 0.4, middle: float = 0.2) -> Recordings:
    """Series of one category, each cut in time and where an anomaly begins or ends.

    Lavin & Ahmad, ICMLA 2015. There is nobody to split by: every series is cut into an early, a middle and a late part, which
    stand for its subjects. Each series is scaled to mean 0 and standard deviation 1 by the normal samples of its early part,
    because the series are of different things. Its classes are the names of the series, and 'anomaly'.

    Args:
        root (str): Folder that holds ``data/`` and ``labels/combined_windows.json``.
        category (str): Folder below ``data/``, for example 'realKnownCause'.
        early (float): Share of every series that is for training.
        middle (float): Share after it that is for validation; the rest is for the test.

    Returns:
        Recordings: One channel; subjects 'early', 'middle' and 'late'. The rate is that of most series, a sample in 5 minutes.

    Raises:
        FileNotFoundError: The benchmark or the category is not there.
        ValueError: The parts leave nothing for the test, or a file is damaged.
    """
    if not (early > 0 and middle > 0 and early + middle < 1):
        raise ValueError(f'early and middle are shares of every series and leave a rest; got {early} and {middle}')
    labels, folder = Path(root, 'labels', 'combined_windows.json'), Path(root, 'data', category)
    for path in (labels, folder):
        if not path.exists():
            raise FileNotFoundError(
                f'{path} is not there: data_root must be a copy of github.com/numenta/NAB with data/ and labels/ in it'
            )
    windows = json.loads(labels.read_text())
    files = sorted(folder.glob('*.csv'))
    if not files:
        raise FileNotFoundError(f'{folder} holds no series (*.csv)')
    recordings = []
    for label, file in enumerate(files):
        values, wrong = _read_series(file, windows.get(f'{category}/{file.name}', []))
        borders = [0, round(early * len(values)), round((early + middle) * len(values)), len(values)]
        known = values[: borders[1]][~wrong[: borders[1]]]
        if len(known) < 2 or not known.std() > 0:
            raise ValueError(f'{file}: the early part has no normal samples that vary, so that there is nothing to scale it by')
        values = ((values - known.mean()) / known.std()).astype(np.float32)[:, None]  # (T, 1)
        for part, start, stop in zip(('early', 'middle', 'late'), borders, borders[1:]):
            for anomalous, run in groupby(range(start, stop), key=lambda t: bool(wrong[t])):
                first, *rest = run
                name = f'{file.stem}:{part}:{first}'
                segment = np.ascontiguousarray(values[first : first + 1 + len(rest)])
                recordings.append(Recording(segment, len(files) if anomalous else label, part, name))
    classes = (*(file.stem for file in files), ANOMALY)
    return Recordings(tuple(recordings), ('value',), classes, rate=1 / 300)


def _read_series(file: Path, windows: list) -> tuple[NDArray, NDArray]:
    """Values ``(T, )`` float64, and whether each lies in a labelled anomaly window ``(T, )``."""
    with open(file, newline='') as handle:
        rows = list(csv.DictReader(handle))
    try:
        times = [datetime.fromisoformat(row['timestamp']) for row in rows]
        values = np.array([float(row['value']) for row in rows])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f'{file} is damaged; expected the columns timestamp and value: {error}') from error
    wrong = np.zeros(len(values), dtype=bool)
    for start, stop in windows:
        begin, end = datetime.fromisoformat(start), datetime.fromisoformat(stop)
        wrong |= np.array([begin <= time <= end for time in times])
    return values, wrong
