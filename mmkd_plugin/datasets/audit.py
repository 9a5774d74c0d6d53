"""Leakage audit: the windows of every split, and a search for anything that is in two of them."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmkd_plugin.fileio import load_npz, write_atomically
from mmkd_plugin.functional.parallel import compiled

from .names import find_alike
from .splits import SPLITS
from .window_dataset import WindowDataset
from .window_streams import recorded_window
from .windows import Windows

__all__ = ['Manifest', 'audit', 'read_manifest']

COLUMNS = ('split', 'subject', 'recording', 'start', 'end', 'label', 'content')
COMPARED = 2_000  # windows in which channels are compared with the label
MIX, BASE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1342543DE82EF95)  # arbitrary odd numbers


@dataclass(frozen=True)
class Manifest:
    """All windows of a run.

    Attributes:
        columns (dict[str, ndarray]): ``split``, ``subject``, ``recording`` (strings), ``start``, ``end`` (samples, end
            excluded), ``label`` (−1 for an anomaly) and ``content`` (8 bytes of a hash of the samples), each ``(n, )``.
        classes (tuple[str, ...]): Names of the classes, by label.
        has_subjects (bool): Whether the data name who was recorded.
    """

    columns: dict[str, NDArray]
    classes: tuple[str, ...] = ()
    has_subjects: bool = True

    def fingerprint(self) -> str:
        """Return SHA-256 of all columns, in hexadecimal."""
        sha = hashlib.sha256()
        for name in COLUMNS:
            column = self.columns[name]
            sha.update('\n'.join(column.tolist()).encode() if column.dtype.kind == 'U' else column.tobytes())
        return sha.hexdigest()

    def counts(self) -> dict[str, int]:
        """Return the number of windows of every split."""
        names, counts = np.unique(self.columns['split'], return_counts=True)
        return dict(zip(names.tolist(), counts.tolist()))

    def by_class(self) -> dict[str, NDArray]:
        """Return the number of windows of each class in every split, ``(K, )``, without anomalies."""
        split, label = self.columns['split'], self.columns['label']
        return {each: np.bincount(label[(split == each) & (label >= 0)], minlength=len(self.classes)) for each in SPLITS}

    def absent(self, split: str) -> list[str]:
        """Return the classes that have no window in a split."""
        return [name for name, count in zip(self.classes, self.by_class()[split]) if not count]

    def known(self) -> Manifest:
        """Return the windows of a known class, that is without anomalies."""
        rows = self.columns['label'] >= 0
        return replace(self, columns={name: column[rows] for name, column in self.columns.items()})

    def write(self, path: str | Path) -> Path:
        """Write an ``.npz`` file and return its path."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {**self.columns, 'classes': np.array(self.classes, dtype=np.str_)}
        np.savez_compressed(buffer, **arrays, has_subjects=np.array(self.has_subjects))
        write_atomically(buffer.getvalue(), path)
        return Path(path)


def read_manifest(path: str | Path) -> Manifest:
    """Read a file that :meth:`Manifest.write` has written.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is damaged, or no manifest.
    """
    arrays = load_npz(path, COLUMNS, ('classes', 'has_subjects'))
    columns = {name: arrays.pop(name) for name in COLUMNS}
    classes = tuple(arrays['classes'].tolist()) if 'classes' in arrays else ()
    return Manifest(columns, classes, bool(arrays.get('has_subjects', True)))


def audit(splits: Mapping[str, WindowDataset]) -> Manifest:
    """List all windows, and check that none leaks from one split into another.

    Subjects of different splits, and classes, that may be the same under two names are pointed out in the log.

    Args:
        splits (Mapping[str, WindowDataset]): ``train``, ``val`` and ``test``.

    Returns:
        Manifest: Windows of all splits.

    Raises:
        ValueError: A subject is in two splits, windows of two splits share samples or are the same samples, or an input
            channel is the label.
    """
    windows = {split: dataset.data_list for split, dataset in splits.items()}
    parts = {split: _columns(split, of) for split, of in windows.items()}
    for one, other in combinations(parts, 2):
        _compare_names(one, parts[one], windows[one], other, parts[other], windows[other])
        _compare_samples(one, parts[one], windows[one], other, parts[other], windows[other])
    for dataset in splits.values():
        _compare_channels_with_labels(dataset)
    _point_out_alike(splits, parts)
    first = next(iter(splits.values()))
    return Manifest(
        {name: np.concatenate([part[name] for part in parts.values()]) for name in COLUMNS},
        tuple(first.metainfo['classes']),
        first.reader.has_subjects,
    )


def _columns(split: str, windows: Windows) -> dict[str, NDArray]:
    names = np.array([r.name for r in windows.recordings])
    return dict(
        split=np.full(len(windows), split),
        subject=windows.subjects,
        recording=names[windows.recording],
        start=windows.start,
        end=windows.start + windows.length,
        label=windows.label,
        content=_hashes(windows),
    )


def _hashes(windows: Windows) -> NDArray:
    """Hash each window's samples, ``(n, )`` uint64; every sample is read once, however many windows hold it."""
    hashes = np.empty(len(windows), dtype=np.uint64)
    order = np.lexsort((windows.start, windows.recording))
    for indices in np.split(order, np.flatnonzero(np.diff(windows.recording[order])) + 1):
        signal = windows.recordings[windows.recording[indices[0]]].signal
        bits = np.ascontiguousarray(signal, dtype=np.float32).view(np.uint32)
        bits.setflags(write=False)  # so that the loop is compiled for one kind of array
        hashes[indices] = _window_hashes(bits, windows.start[indices], windows.length)
    return hashes


def _window_hashes(bits: NDArray, starts: NDArray, length: int) -> NDArray:
    """Hash the windows of one recording, ``(T, C)`` uint32, that begin at ascending starts, ``(n, )``.

    Raises:
        ValueError: The starts do not ascend, or a window is not in the recording.
    """
    samples = len(bits)
    if len(starts) == 0 or (np.diff(starts) < 0).any() or not 0 <= starts[0] <= starts[-1] <= samples - length or length < 1:
        raise ValueError(
            f'windows of {length} samples must begin at ascending samples from 0 to {samples - length} of {samples}, got '
            f'{starts.tolist()[:5]}{" …" if len(starts) > 5 else ""}'
        )
    return _rolling_hashes(bits, starts, length)


@compiled
def _rolling_hashes(bits: NDArray, starts: NDArray, length: int) -> NDArray:
    """Compute a polynomial of the rows' hashes modulo 2^64 (Karp & Rabin 1987): ``(T, C)`` uint32, ``(n, )`` to ``(n, )``.

    The hash of a window is the prefix at its end minus the shifted prefix at its start, which is kept in a ring. Starts ascend.
    """
    hashes = np.empty(len(starts), dtype=np.uint64)
    ring = np.empty(length + 1, dtype=np.uint64)
    power = np.uint64(1)
    for _ in range(length):
        power *= BASE
    prefix, done = np.uint64(0), 0
    for t in range(starts[0], starts[-1] + length):
        ring[t % (length + 1)] = prefix
        row = MIX
        for channel in range(bits.shape[1]):
            row = (row ^ np.uint64(bits[t, channel])) * MIX
            row ^= row >> np.uint64(32)
        prefix = prefix * BASE + row
        while done < len(starts) and starts[done] + length == t + 1:
            hashes[done] = prefix - ring[starts[done] % (length + 1)] * power
            done += 1
    return hashes


def _compare_names(one: str, a: dict, windows: Windows, other: str, b: dict, others: Windows) -> None:
    """Refuse subjects that are in both splits, and windows that share samples of a recording."""
    used = [[each.recordings[index] for index in np.unique(each.recording)] for each in (windows, others)]
    shared = set.intersection(*({r.subject for r in recordings} for recordings in used))
    if shared:
        raise ValueError(f'subject(s) {", ".join(sorted(shared))} are in both the {one} and the {other} split')
    for name in sorted(set.intersection(*({r.name for r in recordings} for recordings in used))):
        in_one, in_other = (part['recording'] == name for part in (a, b))
        # With the windows of both splits in the order of their starts, overlap means a start before a neighbour's end.
        start = np.concatenate([a['start'][in_one], b['start'][in_other]])
        end = np.concatenate([a['end'][in_one], b['end'][in_other]])
        side = np.arange(len(start)) < in_one.sum()
        order = np.argsort(start, kind='stable')
        start, end, side = start[order], end[order], side[order]
        for first in (True, False):
            reached = np.maximum.accumulate(np.where(side == first, end, -1))[:-1]
            overlaps = np.flatnonzero((side[1:] != first) & (start[1:] < reached))
            if len(overlaps):
                position = f"recording '{name}', sample {start[overlaps[0] + 1]}"
                raise ValueError(f'windows of the {one} and the {other} split share samples: {position}')


def _point_out_alike(splits: Mapping[str, WindowDataset], parts: dict[str, dict]) -> None:
    """Warn of subjects of different splits, and of classes, whose names differ in zeros, case or Unicode form only."""
    split_of = {subject: split for split, part in parts.items() for subject in np.unique(part['subject']).tolist()}
    warnings = []
    for group in find_alike(split_of):
        if len({split_of[subject] for subject in group}) > 1:
            members = ', '.join(f'{subject!r} ({split_of[subject]})' for subject in group)
            warnings.append(f'subjects {members} may be one person who is in several splits')
    for group in find_alike(name for dataset in splits.values() for name in dataset.metainfo['classes']):
        warnings.append(f'classes {", ".join(map(repr, group))} may be the same, written in different ways')
    for warning in warnings:
        print_log(f'{warning}: make their names equal in the data if so', logger='current', level=logging.WARNING)


def _compare_samples(one: str, a: dict, windows: Windows, other: str, b: dict, others: Windows) -> None:
    """Refuse windows that are in both splits, whatever their names; samples are compared where hashes are equal.

    Constant windows are left out: two of them are equal where a sensor, or the quantity that it measures, did not vary.
    """
    _, *indices = np.intersect1d(a['content'], b['content'], return_indices=True)
    same = []
    for i, j in zip(*indices):
        x, y = windows.signal(i), others.signal(j)
        if np.ptp(x, axis=0).any() and np.array_equal(x, y):
            same.append((i, j))
    if same:
        first, second = same[0]
        raise ValueError(
            f'{len(same)} window(s) are in both the {one} and the {other} split, sample for sample: for example '
            f'{a["recording"][first]}:{a["start"][first]} and {b["recording"][second]}:{b["start"][second]}'
        )


def _compare_channels_with_labels(dataset: WindowDataset) -> None:
    """Refuse a channel that is constant in every window, with one value for each class: such a channel is the label."""
    windows = dataset.data_list
    some = np.linspace(0, len(windows) - 1, min(len(windows), COMPARED)).astype(int)
    _compare_with_labels(dataset, dataset.metainfo['channels'], [windows.signal(index) for index in some], windows.label[some])
    for stream in dataset.streams:
        own = some[windows.present[stream.name][some]]
        signals = [recorded_window(windows, dataset.streams, index, stream.name) for index in own]
        _compare_with_labels(dataset, stream.sensor.channels, signals, windows.label[own])


def _compare_with_labels(dataset: WindowDataset, channels: Sequence[str], signals: list[NDArray], labels: NDArray) -> None:
    if len(np.unique(labels)) < 2:
        return
    constant = np.all([x.min(0) == x.max(0) for x in signals], axis=0)  # (C, )
    first = np.stack([x[0] for x in signals])  # (n, C)
    for channel in np.flatnonzero(constant).tolist():
        pairs = {(value, label) for value, label in zip(first[:, channel].tolist(), labels.tolist())}
        if len(pairs) == len({value for value, _ in pairs}) == len({label for _, label in pairs}):
            raise ValueError(
                f"channel '{channels[channel]}' is the label: the channel is constant in every window "
                f'of the {dataset.split} split, with a different value for each class'
            )
