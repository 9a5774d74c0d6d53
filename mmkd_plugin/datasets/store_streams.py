"""Streams of a part in a store: one file of samples for each, and what the head of the part says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .recordings import Moments, Recording, Summary
from .streams import Stream

__all__ = ['count_labels', 'gather_streams', 'list_moments', 'moments_key', 'read_moments', 'read_streams', 'stream_ending']


def count_labels(by_label: Mapping[int, Moments]) -> dict[str, int]:
    """Return the number of samples of each label, as JSON keeps it."""
    return {str(label): moments.count for label, moments in by_label.items()}


def list_moments(by_label: Mapping[int, Moments]) -> list[tuple[NDArray, ...]]:
    """Return mean, squares, minimum and maximum of each label, in the order of :func:`count_labels`."""
    return [(m.mean, m.squares, m.min, m.max) for m in by_label.values()]


def read_moments(counts: Mapping[str, int], rows: Iterator[NDArray]) -> dict[int, Moments]:
    """Return the moments of each label, whose numbers are taken from the next rows ``(4, C)``."""
    return {int(label): Moments(count, *next(rows)) for label, count in counts.items()}


def stream_ending(name: str) -> str:
    """Return the ending of the file with a stream's samples."""
    return f'.{name}.npy'


def moments_key(name: str) -> str:
    """Return the name of a stream's moments among those of its part."""
    return f'moments_{name}'


def gather_streams(recordings: Sequence[Recording], heads: list[dict]) -> dict[str, tuple[NDArray, NDArray]]:
    """Join the streams of a part's recordings, and add to their heads where each is.

    Args:
        recordings (Sequence[Recording]): With summaries of their streams.
        heads (list[dict]): Of the recordings, changed in place.

    Returns:
        dict[str, tuple[ndarray, ndarray]]: By name, samples ``(T, C)`` float32 and moments ``(recordings x labels, 4, C)``.
    """
    signals: dict[str, list[NDArray]] = {}
    moments: dict[str, list] = {}
    for recording, head in zip(recordings, heads):
        if not recording.streams:
            continue
        head['streams'] = {}
        for name, stream in recording.streams.items():
            parts = signals.setdefault(name, [])
            start = sum(map(len, parts))
            parts.append(stream.signal)
            moments.setdefault(name, []).extend(list_moments(stream.summary.moments))
            head['streams'][name] = dict(
                start=start,
                stop=start + len(stream.signal),
                offset=float(stream.offset),
                gaps=stream.gaps.tolist(),
                fingerprint=stream.summary.fingerprint,
                counts=count_labels(stream.summary.moments),
            )
    return {
        name: (np.concatenate(parts).astype(np.float32, copy=False), np.array(moments[name])) for name, parts in signals.items()
    }


def read_streams(heads: list[dict], arrays: Mapping[str, NDArray], file: Callable[[str], Path]) -> list[dict[str, Stream]]:
    """Return the streams of each recording of a part; samples stay on disk.

    Args:
        heads (list[dict]): Of the recordings.
        arrays (Mapping[str, ndarray]): Moments of the part.
        file (Callable): Maps an ending to the path of the part's file.
    """
    names = sorted({name for head in heads for name in head.get('streams', ())})
    signals = {name: np.load(file(stream_ending(name)), mmap_mode='r', allow_pickle=False) for name in names}
    rows = {name: iter(arrays[moments_key(name)]) for name in names}
    streams: list[dict[str, Stream]] = []
    for head in heads:
        streams.append({})
        for name, kept in head.get('streams', {}).items():
            summary = Summary(read_moments(kept['counts'], rows[name]), kept['fingerprint'])
            gaps = np.array(kept['gaps'], dtype=np.int64).reshape(-1, 2)
            streams[-1][name] = Stream(signals[name][kept['start'] : kept['stop']], kept['offset'], summary, gaps)
    return streams
