"""Recordings and windows of other programs' pickles, as a file that ``ArrayRecordings`` reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.datasets import ArrayRecordings, Reader, Recordings, save_recordings
from mmkd_plugin.fileio import read_pickle
from mmkd_plugin.registry import TASK_UTILS
from mmkd_plugin.structures import unknown_name

__all__ = ['channels_of', 'import_recordings']


@dataclass(frozen=True)
class _Options:
    """What an import is told beside the file."""

    channels: int
    channels_first: bool
    trim: tuple[int, int]


def channels_of(reader: str) -> tuple[str, ...]:
    """Return the channels of a reader of a published format, in the order of its files.

    Raises:
        ValueError: There is no such reader, or its channels depend on the files.
    """
    known = {name: kind for name, kind in TASK_UTILS.module_dict.items() if isinstance(kind, type) and issubclass(kind, Reader)}
    fixed = sorted(name for name, kind in known.items() if isinstance(getattr(kind, 'channels', None), tuple))
    if reader not in fixed:
        raise ValueError(unknown_name('reader with channels of its own', reader, fixed))
    return known[reader].channels  # type: ignore[return-value]


def import_recordings(
    source: str | Path,
    target: str | Path,
    channels: Sequence[str],
    classes: Sequence[str],
    rate: float,
    subjects: Sequence[str] | None = None,
    trim: Sequence[int] = (0, 0),
    channels_first: bool = False,
) -> Recordings:
    """Convert a pickle of ``(X, y)`` for each subject, as Python 2 has written them too.

    X is a recording ``(T, C)`` with a label per sample y ``(T, )``, as in the PAMAP2 pickle of published comparisons, or
    windows that were cut already, ``(N, T, C)`` or ``(N, 1, T, C)`` with y ``(N, )``, each of which becomes a recording of
    one window. y may have an axis of length 1 behind.

    Args:
        source (str | Path): The pickle: a list with a pair for each subject, a dict of them, or one pair.
        target (str | Path): The file to write, ``.npz``; replaced as a whole.
        channels (Sequence[str]): Names of the C channels.
        classes (Sequence[str]): Names of the K classes, in the order of the labels 0 to K − 1.
        rate (float): Samples per second, in Hz.
        subjects (Sequence[str], optional): Names, in the order of the pairs; by default numbers from 0 or the keys of the dict.
        trim (Sequence[int]): Samples to leave out at the begin and at the end of every recording; not of windows.
        channels_first (bool): X is ``(C, T)`` or ``(N, C, T)``.

    Returns:
        Recordings: As they are read from the file.

    Raises:
        FileNotFoundError: There is no such pickle.
        ValueError: The pickle asks for anything but arrays, or holds something else.
    """
    pairs = _pairs(read_pickle(source), source)
    names = list(pairs) if subjects is None else list(map(str, subjects))
    if len(names) != len(pairs):
        raise ValueError(f'{source} has {len(pairs)} subject(s), and {len(names)} are named: {", ".join(names)}')
    if len(trim) != 2 or min(trim) < 0:
        raise ValueError(f'trim must be two numbers of samples, at least 0, got {list(trim)}')
    options = _Options(len(channels), channels_first, (trim[0], trim[1]))
    signals: list[NDArray] = []
    labels: list[Any] = []
    people: list[str] = []
    titles: list[str] = []
    for name, pair in zip(names, pairs.values()):
        own, marks = _recordings(f'{source}: subject {name}', pair, options)
        single = len(own) == 1 and np.ndim(marks[0]) == 1
        signals += own
        labels += marks
        people += [name] * len(own)
        titles += [name] if single else [f'{name}_{index:05d}' for index in range(len(own))]
    save_recordings(target, signals, labels, people, channels, classes, rate, titles)
    return ArrayRecordings(target).read_all()


def _pairs(content: Any, source: object) -> dict[str, Any]:
    """Return the pair of each subject."""
    if isinstance(content, dict):
        return {str(name): pair for name, pair in content.items()}
    if _is_pair(content):
        content = [content]
    if isinstance(content, (list, tuple)) and content:
        return {str(index): pair for index, pair in enumerate(content)}
    raise ValueError(f'{source} holds {_describe(content)}, expected a list with a pair (X, y) for each subject')


def _is_pair(content: Any) -> bool:
    return isinstance(content, (list, tuple)) and len(content) == 2 and isinstance(content[0], np.ndarray)


def _recordings(where: str, pair: Any, options: _Options) -> tuple[list[NDArray], list[Any]]:
    """Return the recordings ``(T, C)`` of a subject, and the label or labels of each."""
    if not _is_pair(pair):
        raise ValueError(f'{where} has {_describe(pair)}, expected a pair of arrays (X, y)')
    signal, labels = pair[0], np.asarray(pair[1])
    if signal.ndim == 4 and signal.shape[1] == 1:
        signal = signal[:, 0]
    if options.channels_first:
        signal = signal.swapaxes(-1, -2) if signal.ndim in (2, 3) else signal
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if signal.ndim not in (2, 3) or signal.shape[-1] != options.channels:
        axes = '(C, T) or (N, C, T)' if options.channels_first else '(T, C), (N, T, C) or (N, 1, T, C)'
        raise ValueError(f'{where} has X of shape {pair[0].shape}, expected {axes} with C = {options.channels} channels')
    if labels.shape != signal.shape[:1]:
        shapes = f'X of shape {pair[0].shape} and y of shape {np.shape(pair[1])}'
        raise ValueError(f'{where} has {shapes}, expected one label for each entry of the first axis of X')
    if labels.dtype.kind == 'f':
        if not np.isfinite(labels).all() or (labels % 1).any() or abs(labels).max(initial=0) > 2**53:
            raise ValueError(f'{where} has labels that are no whole numbers')
        labels = labels.astype(np.int64)
    if signal.ndim == 3:
        if any(options.trim):
            raise ValueError(f'{where} has windows, of which nothing is left out: trim is for recordings')
        return list(signal), list(labels)
    begin, end = options.trim
    if len(signal) <= begin + end:
        raise ValueError(f'{where} has {len(signal)} samples, and {begin} + {end} are to be left out')
    return [signal[begin : len(signal) - end]], [labels[begin : len(labels) - end]]


def _describe(content: Any) -> str:
    if isinstance(content, np.ndarray):
        return f'an array of shape {content.shape}'
    size = f' of {len(content)}' if isinstance(content, (list, tuple, dict, str)) else ''
    return f'a {type(content).__name__}{size}'
