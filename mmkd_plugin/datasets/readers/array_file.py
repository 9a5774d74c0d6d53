"""The ``.npz`` file of a user's own arrays, and the checks of its content."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.fileio import load_npz

__all__ = ['ARRAYS', 'check_arrays', 'load_arrays']

# Every array of a file but the samples: the kind of its numbers, and how many axes it has.
ARRAYS = {
    'channels': ('U', 1),
    'classes': ('U', 1),
    'rate': ('f', 0),
    'names': ('U', 1),  # this and the rest have an entry for each recording
    'subjects': ('U', 1),
    'lengths': ('i', 1),
    'parts': ('i', 1),
    'labels': ('i', 1),  # or one for each sample of all of them
}
KINDS = dict(U='texts', f='floating-point numbers', i='whole numbers')


def load_arrays(path: Path, names: list[str]) -> dict[str, NDArray]:
    """Load some arrays of a file, which cannot run code.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is no ``.npz``, is damaged, or an array is not in it or holds Python objects.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist: root must be an .npz file that save_recordings has written')
    if not zipfile.is_zipfile(path):
        raise ValueError(f'{path}: no .npz file, or cut off; expected one that save_recordings has written')
    try:
        return load_npz(path, names)
    except ValueError as error:
        raise ValueError(f'{error}; expected a file that save_recordings has written') from error


def check_arrays(path: Path, arrays: dict[str, NDArray]) -> None:
    """Refuse arrays that do not belong together.

    Args:
        path (Path): The file, for messages.
        arrays (dict[str, ndarray]): Those of :data:`ARRAYS`.

    Raises:
        ValueError: One has another type, shape or number of entries, or an entry that cannot be.
    """
    for name, (kind, axes) in ARRAYS.items():
        array = arrays[name]
        if array.dtype.kind != kind or array.ndim != axes:
            expected = f'{KINDS[kind]} with {axes} axis or axes'
            raise ValueError(f'{path}: {name} is {array.dtype} of shape {array.shape}, expected {expected}')
    names, lengths, labels = arrays['names'], arrays['lengths'], arrays['labels']
    for name in ('subjects', 'lengths', 'parts'):
        if len(arrays[name]) != len(names):
            raise ValueError(f'{path}: {name} has {len(arrays[name])} entries, expected {len(names)} as names')
    for name in ('channels', 'classes', 'names', 'subjects'):
        counts = Counter(arrays[name].tolist())
        if not counts:
            raise ValueError(f'{path}: {name} is empty')
        for entry, count in counts.items():
            if not entry or (count > 1 and name != 'subjects'):
                unlike = '' if name == 'subjects' else ', all different'
                raise ValueError(f'{path}: {name} has {entry!r} {count} time(s), expected texts that are not empty{unlike}')
    if not 0 < arrays['rate'] < np.inf:
        raise ValueError(f'{path}: rate is {arrays["rate"]}, expected samples per second, above 0')
    if lengths.min() < 1:
        raise ValueError(f'{path}: lengths has {lengths.min()}, expected at least 1 sample')
    if len(labels) not in (len(names), lengths.sum()):
        raise ValueError(f'{path}: labels has {len(labels)} entries, expected {len(names)} or one for each of {lengths.sum()}')
    lowest, most = 0 if len(labels) == len(names) else -1, len(arrays['classes']) - 1
    if labels.min() < lowest or labels.max() > most:
        wrong = labels.min() if labels.min() < lowest else labels.max()
        raise ValueError(f'{path}: labels has {wrong}, expected {lowest} to {most}')
