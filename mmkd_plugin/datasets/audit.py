"""Leakage audit: what every split holds, window by window, and whether anything stands on both sides."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.engine.atomic import write_atomically

from .window_dataset import WindowDataset

__all__ = ['Manifest', 'audit', 'read_manifest']

COLUMNS = ('split', 'subject', 'recording', 'start', 'end', 'label', 'content')
LOOKED_AT = 2_000  # windows in which a channel is compared with the label


@dataclass(frozen=True)
class Manifest:
    """Every window that a run saw.

    Attributes:
        columns (dict[str, ndarray]): ``split``, ``subject``, ``recording`` (strings), ``start``, ``end`` (samples, end
            excluded), ``label`` (−1 for an anomaly) and ``content`` (8 bytes of a hash of the samples), each ``(n, )``.
    """

    columns: dict[str, NDArray]

    def digest(self) -> str:
        """SHA-256 over all columns, in hexadecimal."""
        sha = hashlib.sha256()
        for name in COLUMNS:
            column = self.columns[name]
            sha.update('\n'.join(column.tolist()).encode() if column.dtype.kind == 'U' else column.tobytes())
        return sha.hexdigest()

    def counts(self) -> dict[str, int]:
        """Windows of every split."""
        names, counts = np.unique(self.columns['split'], return_counts=True)
        return dict(zip(names.tolist(), counts.tolist()))

    def write(self, path: str | Path) -> Path:
        """Write an ``.npz`` file."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **self.columns)
        write_atomically(buffer.getvalue(), path)
        return Path(path)


def read_manifest(path: str | Path) -> Manifest:
    """Read what :meth:`Manifest.write` has written.

    Raises:
        FileNotFoundError: It is not there.
    """
    with np.load(path, allow_pickle=False) as arrays:
        return Manifest({name: arrays[name] for name in COLUMNS})


def audit(splits: Mapping[str, WindowDataset]) -> Manifest:
    """List all windows and see that none leaks from one split into another.

    Args:
        splits (Mapping[str, WindowDataset]): ``train``, ``val`` and ``test``.

    Returns:
        Manifest: Of all splits.

    Raises:
        ValueError: A subject stands in two splits, windows of two splits share samples or are the same samples, or an input
            channel is the label.
    """
    parts = {split: _windows_of(split, dataset) for split, dataset in splits.items()}
    for one, other in combinations(parts, 2):
        _compare(one, parts[one], other, parts[other])
    for dataset in splits.values():
        _compare_channels_with_labels(dataset)
    return Manifest({name: np.concatenate([part[name] for part in parts.values()]) for name in COLUMNS})


def _windows_of(split: str, dataset: WindowDataset) -> dict[str, NDArray]:
    windows = dataset.data_list
    names = np.array([r.name for r in windows.recordings])
    # Most windows of two splits differ already in their first 8 bytes of hash; equal ones are the same samples.
    content = [hashlib.blake2b(np.ascontiguousarray(windows.signal(i)), digest_size=8).digest() for i in range(len(windows))]
    return dict(
        split=np.full(len(windows), split),
        subject=windows.subjects,
        recording=names[windows.recording],
        start=windows.start,
        end=windows.start + windows.length,
        label=windows.label,
        content=np.frombuffer(b''.join(content), dtype=np.uint64),
    )


def _compare(one: str, a: dict, other: str, b: dict) -> None:
    shared = np.intersect1d(a['subject'], b['subject'])
    if len(shared):
        raise ValueError(f'subject(s) {", ".join(shared.tolist())} stand in both the {one} and the {other} split')
    for name in np.intersect1d(a['recording'], b['recording']):
        mine, theirs = (part['recording'] == name for part in (a, b))
        # Of all windows of both in the order of their start, one that begins before its neighbour's end overlaps it.
        start = np.concatenate([a['start'][mine], b['start'][theirs]])
        end = np.concatenate([a['end'][mine], b['end'][theirs]])
        side = np.arange(len(start)) < mine.sum()
        order = np.argsort(start, kind='stable')
        start, end, side = start[order], end[order], side[order]
        for here in (True, False):
            reached = np.maximum.accumulate(np.where(side == here, end, -1))[:-1]
            clash = np.flatnonzero((side[1:] != here) & (start[1:] < reached))
            if len(clash):
                where = f"recording '{name}', sample {start[clash[0] + 1]}"
                raise ValueError(f'windows of the {one} and the {other} split share samples: {where}')
    same = np.intersect1d(a['content'], b['content'])
    if len(same):
        first, second = (int(np.flatnonzero(part['content'] == same[0])[0]) for part in (a, b))
        raise ValueError(
            f'{len(same)} window(s) stand in both the {one} and the {other} split, sample for sample: for example '
            f'{a["recording"][first]}:{a["start"][first]} and {b["recording"][second]}:{b["start"][second]}'
        )


def _compare_channels_with_labels(dataset: WindowDataset) -> None:
    """A channel that stands still in every window, at a value that tells its class, is the label."""
    windows = dataset.data_list
    some = np.linspace(0, len(windows) - 1, min(len(windows), LOOKED_AT)).astype(int)
    labels = windows.label[some]
    if len(np.unique(labels)) < 2:
        return
    signals = [windows.signal(place) for place in some]
    still = np.all([x.min(0) == x.max(0) for x in signals], axis=0)  # (C, )
    first = np.stack([x[0] for x in signals])  # (n, C)
    for channel in np.flatnonzero(still):
        pairs = {(value, label) for value, label in zip(first[:, channel].tolist(), labels.tolist())}
        if len(pairs) == len({value for value, _ in pairs}) == len({label for _, label in pairs}):
            raise ValueError(
                f"channel '{dataset.metainfo['channels'][channel]}' is the label: it stands still in every window of the "
                f'{dataset.split} split, at another value for each class'
            )
