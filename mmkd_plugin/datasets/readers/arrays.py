"""Recordings of a user's own NumPy arrays: written to one file by :func:`save_recordings`, and read from there."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmkd_plugin.fileio import write_atomically
from mmkd_plugin.registry import TASK_UTILS

from ..names import NOBODY, is_missing
from ..recordings import Recording
from .array_file import ARRAYS, check_arrays, load_arrays
from .base import Part, Reader

__all__ = ['ArrayRecordings', 'check_samples', 'save_recordings']

LARGE = 2**26  # values of a part, 256 MiB: what is larger is written in several parts, each read without the others


def save_recordings(
    path: str | os.PathLike,
    signals: Sequence[ArrayLike] | NDArray,
    labels: Sequence,
    subjects: Sequence,
    channels: Sequence[str],
    classes: Sequence[str],
    rate: float,
    names: Sequence[str] | None = None,
) -> None:
    """Write recordings to a file that :class:`ArrayRecordings` reads; a file of that name is replaced as a whole.

    Args:
        path (str | PathLike): The file, ``.npz``.
        signals (Sequence[ArrayLike] | ndarray): N recordings ``(T, C)`` of any lengths, or one array ``(N, T, C)``; numbers,
            kept as float32.
        labels (Sequence): N of them, each the name of a class or its index; or N arrays ``(T, )`` of these, a
            label per sample, with ``''`` or −1, or None or NaN as pandas has them, for none.
        subjects (Sequence): N names or numbers of the people who were recorded.
        channels (Sequence[str]): Names of the C channels.
        classes (Sequence[str]): Names of the K classes.
        rate (float): Samples per second, in Hz.
        names (Sequence[str], optional): Of the recordings, all different; ``recording_0000`` and so on by default.

    Raises:
        ValueError: An array has a wrong shape or type, a value is NaN or infinite, a label is unknown, or numbers differ.
    """
    names = [f'recording_{i:04d}' for i in range(len(signals))] if names is None else list(map(_text, names))
    channels, classes = list(map(_text, channels)), list(map(_text, classes))
    for what, given in (('labels', labels), ('subjects', subjects), ('names', names)):
        if isinstance(given, str) or len(given) != len(signals):
            raise ValueError(f'{what} are {len(given)}, expected {len(signals)}, one for each recording')
    samples = [check_samples(f'{path}: {name}', signal, channels) for name, signal in zip(names, signals)]
    marks = [_marks(name, label, len(signal), classes) for name, label, signal in zip(names, labels, samples)]
    if len({mark.ndim for mark in marks}) > 1:
        raise ValueError('some recordings have one label and some have one for each sample, expected the same for all')
    lengths = np.array([len(signal) for signal in samples], dtype=np.int64)
    parts = (np.cumsum(lengths) - lengths) * len(channels) // LARGE
    arrays: dict[str, Any] = dict(
        channels=np.array(channels, dtype=np.str_),
        classes=np.array(classes, dtype=np.str_),
        rate=np.array(rate, dtype=np.float64),
        names=np.array(names, dtype=np.str_),
        subjects=np.array(list(map(_subject, subjects)), dtype=np.str_),
        lengths=lengths,
        parts=parts,
        labels=np.hstack(marks) if marks else np.empty(0, dtype=np.int64),
    )
    check_arrays(Path(path), arrays)
    for part in np.unique(parts):
        arrays[f'signals_{part}'] = np.concatenate([samples[index] for index in np.flatnonzero(parts == part)])
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(buffer.getvalue(), path)


@TASK_UTILS.register_module()
class ArrayRecordings(Reader):
    """Recordings in a file that :func:`save_recordings` has written.

    Args:
        root (str | Path): The file, ``.npz``.
    """

    @property
    def channels(self) -> tuple[str, ...]:
        """As given to :func:`save_recordings`."""
        return tuple(self._head()['channels'].tolist())

    @property
    def classes(self) -> tuple[str, ...]:
        """As given to :func:`save_recordings`."""
        return tuple(self._head()['classes'].tolist())

    @property
    def rate(self) -> float:
        """As given to :func:`save_recordings`, in Hz."""
        return float(self._head()['rate'])

    def parts(self) -> list[str]:
        """Return 'all', or numbers where the file is large."""
        parts = np.unique(self._head()['parts'])
        return ['all'] if len(parts) == 1 else [str(part) for part in parts]

    def files(self) -> list[Path]:
        """Return the file."""
        return [self.root]

    def read(self, part: str) -> Part:
        """Read the recordings of one part."""
        head = self._head()
        lengths, labels = head['lengths'], head['labels']
        number = head['parts'][0] if part == 'all' else int(part)
        indices = np.flatnonzero(head['parts'] == number)
        key = f'signals_{number}'
        signal = load_arrays(self.root, [key])[key]
        expected = (int(lengths[indices].sum()), len(head['channels']))
        if signal.dtype != np.float32 or signal.shape != expected:
            raise ValueError(f'{self.root}: {key} is {signal.dtype} of shape {signal.shape}, expected float32 of {expected}')
        begins, row, recordings = np.cumsum(lengths) - lengths, 0, []
        for index in indices:
            name, length, begin = str(head['names'][index]), int(lengths[index]), int(begins[index])
            samples = signal[row : row + length]
            _refuse_gaps(f'{self.root}: {name}', samples, head['channels'].tolist())
            label = int(labels[index]) if len(labels) == len(lengths) else labels[begin : begin + length]
            recordings.append(Recording(samples, label, str(head['subjects'][index]), name))
            row += length
        return Part(tuple(recordings))

    def _head(self) -> dict[str, NDArray]:
        """Load all arrays but the samples."""
        arrays = load_arrays(self.root, list(ARRAYS))
        check_arrays(self.root, arrays)
        return arrays


def check_samples(name: str, signal: ArrayLike, channels: Sequence[str]) -> NDArray:
    """Return the samples of a recording as ``(T, C)`` float32.

    Args:
        name (str): Of the recording, for messages.
        signal (ArrayLike): ``(T, C)``, numbers.
        channels (Sequence[str]): Names of the C channels.

    Raises:
        ValueError: The signal has a wrong shape or type, or a value is NaN or infinite.
    """
    try:
        signal = np.asarray(signal)
    except ValueError as error:
        raise ValueError(f'{name}: the rows of the signal have different lengths, expected (T, {len(channels)})') from error
    if signal.dtype.kind not in 'fiu':
        raise ValueError(f'{name}: the signal has the type {signal.dtype}, expected numbers')
    if signal.ndim != 2 or signal.shape[1] != len(channels) or not len(signal):
        raise ValueError(f'{name}: the signal has shape {signal.shape}, expected (T, {len(channels)})')
    with np.errstate(over='ignore'):  # what becomes infinite is refused
        signal = np.ascontiguousarray(signal, dtype=np.float32)
    _refuse_gaps(name, signal, channels)
    return signal


def _refuse_gaps(where: str, signal: NDArray, channels: Sequence[str]) -> None:
    wrong = ~np.isfinite(signal)
    if wrong.any():
        sample, channel = np.argwhere(wrong)[0]
        raise ValueError(
            f'{where}: {wrong.sum()} value(s) are NaN or infinite, the first in {channels[channel]} at sample {sample}; '
            'fill or cut gaps first'
        )


def _marks(name: str, label: object, length: int, classes: list[str]) -> NDArray:
    """Return the index of a label, ``()``, or of one label per sample with −1 for none, ``(T, )``; int64."""
    marks = np.asarray(label)
    if marks.ndim > 1 or (marks.ndim == 1 and len(marks) != length):
        raise ValueError(f'{name}: labels have shape {marks.shape}, expected one label or ({length},), one for each sample')
    if marks.dtype.kind in 'iu':
        if marks.max(initial=0) >= 2**63:  # would become −1 or the like
            raise ValueError(f'{name}: the label is {marks.max()}, expected an index from 0 to {len(classes) - 1}')
        return marks.astype(np.int64)
    # Names may be of any type: pandas has objects, HDF5 bytes; a column of indices with NaN in it is one of floats.
    entries = [_text(entry) for entry in marks.ravel().tolist()]
    given = [entry for entry in entries if not (marks.ndim and _is_missing(entry, classes))]
    if all(isinstance(entry, str) for entry in given):
        known = {text: index for index, text in enumerate(classes)}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ValueError(f'{name}: the label is {unknown[0]!r}, expected one of {", ".join(classes)}')
    elif marks.ndim and all(_is_index(entry) for entry in given):
        known = {entry: int(entry) for entry in given}
    else:
        raise ValueError(f'{name}: labels have the type {marks.dtype}, expected names of classes or whole numbers')
    return np.array([known.get(entry, -1) for entry in entries], dtype=np.int64).reshape(marks.shape)


def _is_missing(entry: Any, classes: list[str]) -> bool:
    """Return whether an entry of a column means no label; pandas' own NA is not even equal to itself."""
    return is_missing(str(entry)) and not (isinstance(entry, str) and entry in classes)


def _is_index(entry: Any) -> bool:
    """Return whether an entry of a label is a whole number, as a float too; a truth value is none."""
    number = isinstance(entry, (int, float, np.integer, np.floating)) and not isinstance(entry, bool)
    return number and abs(entry) < 2**31 and float(entry).is_integer()


def _text(name: object) -> Any:
    """Return a name that is bytes as a text, and anything else as given."""
    if not isinstance(name, bytes):
        return name
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f'{name!r} is no text in UTF-8, expected names in that encoding') from error


def _subject(subject: object) -> str:
    """Return a subject as a text, empty where there is none."""
    text = str(_text(subject))
    return '' if text in NOBODY else text
