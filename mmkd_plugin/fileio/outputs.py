"""Outputs of a network that were computed elsewhere: logits and features by window, or by recording and time."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.structures import suggest

from .arrays import load_npz
from .content import file_hash

__all__ = ['Outputs', 'read_outputs']

TAPS = ('logits', 'embedding')
STAGE = re.compile(r'stages\.(0|[1-9][0-9]?)')
# All other arrays: kind of their values, and a word for that.
KEYS = {'window_ids': ('U', 'texts'), 'recordings': ('U', 'texts'), 'times': ('fiu', 'seconds'), 'classes': ('U', 'texts')}


@dataclass(frozen=True, eq=False)
class Outputs:
    """Outputs of a network, one row for each window or instant.

    Attributes:
        path (Path): The file.
        sha256 (str): Of its content.
        shapes (dict[str, tuple]): Shape of one row by tap: 'logits' ``(K, )``, and those of 'embedding' ``(C, )`` and
            'stages.<index>' ``(C, *S)`` that the file has.
        values (ndarray): All taps side by side, flat, in the order of ``shapes``, ``(n, W)`` float32.
        classes (tuple[str, ...]): Names of the classes in the order of the logits; empty where the file does not say.
        places (dict): By window id the row; in a file by time, by recording the times in seconds, ascending, and their rows.
        by_time (bool): Whether the file is by recording and time.
    """

    path: Path
    sha256: str
    shapes: dict[str, tuple[int, ...]]
    values: NDArray
    classes: tuple[str, ...]
    places: Mapping
    by_time: bool

    def __deepcopy__(self, memo: dict) -> Outputs:
        return self  # a copied model reads the same rows

    def rows(self, window: str, length: int, rate: float | None = None) -> NDArray:
        """Return the rows of a window, of which the mean counts; none where the file has no output of the window.

        In a file by time these are the instants inside the window: from half a sample before its first sample to half a sample
        after its last one, so that windows side by side share no instant and rounding does not matter.

        Args:
            window (str): Its id, ``'<recording>:<first sample>'``.
            length (int): Samples of a window.
            rate (float, optional): Of the recordings, in Hz; needed for a file by time.

        Returns:
            ndarray: Indices of rows.

        Raises:
            ValueError: The file is by time, and there is no rate.
        """
        if not self.by_time:
            return np.array([self.places[window]] if window in self.places else [], dtype=np.int64)
        if rate is None:
            raise ValueError(f'{self.path} has outputs by time, and rate=, samples per second of the recordings, is not given')
        recording, _, start = window.rpartition(':')
        times, rows = self.places.get(recording, (np.empty(0), np.empty(0, dtype=np.int64)))
        limits = (np.array([0, length]) + int(start) - 0.5) / rate
        first, last = np.searchsorted(times, limits)
        return rows[first:last]

    def missing(self, windows: Iterable[str], length: int, rate: float | None = None) -> list[str]:
        """Return the windows that the file has no output of.

        Args:
            windows (Iterable[str]): Ids of windows.
            length (int): As for :meth:`rows`, and so the next.
            rate (float, optional): In Hz.
        """
        return [window for window in windows if not len(self.rows(window, length, rate))]


def read_outputs(path: str | Path) -> Outputs:
    """Read a file of outputs without running code; a file that has not changed is read once for a process.

    Args:
        path (str | Path): An ``.npz`` with ``logits``, ``(n, K)``, optionally ``embedding`` ``(n, C)`` and ``stages.<index>``
            ``(n, C, *S)``, all finite floating-point numbers; either ``window_ids`` ``(n, )``, or ``recordings`` and ``times``
            in seconds, ``(n, )`` each; and optionally ``classes``, the K names.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, an array is missing, unknown, of another kind or shape, or not finite.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no file of outputs {path}')
    return _read(str(path), file_hash(path))


@functools.lru_cache(maxsize=8)
def _read(path: str, sha256: str) -> Outputs:
    arrays = load_npz(path)
    taps = sorted(name for name in arrays if name in TAPS or STAGE.fullmatch(name))
    _check_names(path, arrays, taps)
    for name, (kinds, word) in KEYS.items():
        if name in arrays and (arrays[name].dtype.kind not in kinds or arrays[name].ndim != 1):
            raise ValueError(f'{path}: {name} is {arrays[name].dtype} of shape {arrays[name].shape}, expected {word}, (n, )')
    by_time = 'times' in arrays
    names = arrays['recordings' if by_time else 'window_ids'].tolist()
    values = np.concatenate([_flat(path, tap, arrays[tap], len(names)) for tap in taps], axis=1)
    classes = tuple(arrays['classes'].tolist()) if 'classes' in arrays else ()
    if classes and len(classes) != arrays['logits'].shape[1]:
        raise ValueError(f'{path}: classes has {len(classes)} names, and logits are of {arrays["logits"].shape[1]} classes')
    places = _by_time(path, names, arrays['times']) if by_time else {name: row for row, name in enumerate(names)}
    if not by_time and len(places) < len(names):
        twice = next(name for row, name in enumerate(names) if places[name] != row)
        raise ValueError(f'{path}: window_ids has {twice} twice')
    shapes = {tap: arrays[tap].shape[1:] for tap in taps}
    return Outputs(Path(path), sha256, shapes, values, classes, places, by_time)


def _check_names(path: str, arrays: Mapping[str, NDArray], taps: list[str]) -> None:
    """Refuse a file that lacks an array, or has one that nobody would read."""
    known = [*TAPS, 'stages.0', *KEYS]
    unknown = [name for name in arrays if name not in taps and name not in KEYS]
    if unknown:
        question = suggest(unknown[0], known) or f'a file of outputs has {", ".join(known)}'
        raise ValueError(f"{path}: there is no place for an array '{unknown[0]}'; {question}")
    if 'logits' not in taps:
        raise ValueError(f'{path}: logits missing')
    keys = [name for name in ('window_ids', 'recordings', 'times') if name in arrays]
    if keys not in (['window_ids'], ['recordings', 'times']):
        raise ValueError(f'{path}: expected window_ids, or recordings and times; got {", ".join(keys) or "none of them"}')


def _flat(path: str, tap: str, array: NDArray, count: int) -> NDArray:
    """Return a tap as ``(n, W)`` float32."""
    if array.dtype.kind != 'f' or array.ndim < 2 or (array.ndim > 2 and tap in TAPS):
        shape = '(n, C, ...)' if tap not in TAPS else '(n, K)' if tap == 'logits' else '(n, C)'
        raise ValueError(f'{path}: {tap} is {array.dtype} of shape {array.shape}, expected floating-point numbers {shape}')
    if len(array) != count or not count:
        raise ValueError(f'{path}: {tap} has {len(array)} rows, expected one for each of {count} windows or instants')
    with np.errstate(over='ignore'):
        flat = array.reshape(count, -1).astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(flat).all(1))
    if len(wrong):
        raise ValueError(f'{path}: {tap} is NaN, infinite or beyond float32 in {len(wrong)} row(s), first in {wrong[0]}')
    return flat


def _by_time(path: str, names: list[str], times: NDArray) -> dict[str, tuple[NDArray, NDArray]]:
    """Return times and rows by recording, in the order of time."""
    if len(times) != len(names):
        raise ValueError(f'{path}: times has {len(times)} entries, expected {len(names)} as recordings')
    if not np.isfinite(times).all():
        raise ValueError(f'{path}: times is NaN or infinite in row {np.flatnonzero(~np.isfinite(times))[0]}')
    rows = np.lexsort((times, np.array(names)))
    sorted_names = np.array(names)[rows]
    parts = np.split(rows, np.flatnonzero(sorted_names[1:] != sorted_names[:-1]) + 1)
    return {names[part[0]]: (times[part].astype(np.float64), part) for part in parts}
