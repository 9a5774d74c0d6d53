"""Experiments of HAPT."""

import numpy as np

__all__ = ['SEGMENTS', 'write']

# Experiment, user, activity, first and last sample, as in the archive: counted from 1, both ends included, gaps between them.
SEGMENTS = [(1, 1, 5, 11, 40), (1, 1, 7, 41, 60), (1, 1, 4, 70, 100), (2, 1, 1, 1, 90), (3, 2, 12, 5, 100)]


def write(root, segments=SEGMENTS, sensors=('acc', 'gyro'), length=100):
    """Experiments in the archive's layout. Sample t (from 1) of axis c of experiment e is ``e + t / 1000 + c``; angular rate 10 more."""
    raw = root / 'RawData'
    raw.mkdir(parents=True, exist_ok=True)
    for experiment, user in sorted({segment[:2] for segment in segments}):
        values = experiment + np.arange(1, length + 1)[:, None] / 1000 + np.arange(3)
        for sensor in sensors:
            rows = values + 10 * (sensor == 'gyro')
            text = ''.join(' '.join(repr(float(value)) for value in row) + '\n' for row in rows)
            (raw / f'{sensor}_exp{experiment:02d}_user{user:02d}.txt').write_text(text)
    (raw / 'labels.txt').write_text(''.join(' '.join(map(str, segment)) + '\n' for segment in segments))
    return root
