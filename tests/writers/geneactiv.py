"""Windows of GENEActiv, one MATLAB file each."""

import numpy as np
from scipy.io import savemat

__all__ = ['window', 'write']


def window(subject, number, place, size=500):
    """Samples of a window: subject, class and place in the second, first and third axis, on a ramp."""
    return np.arange(size)[:, None] / 1000 + np.array([number, subject, place])


def write(root, subjects=(9, 102, 21), classes=(13, 2), each=2, size=500, **options):
    """Windows in the layout of the data: one MATLAB file each, ``xw`` ``(size, 3)`` in double precision."""
    folder = root / f'Window-size-{size}'
    folder.mkdir(parents=True, exist_ok=True)
    for subject in subjects:
        for number in classes:
            for place in range(1, each + 1):
                name = f'ID-{subject}_CLASS-{number}_Window-{place:04d}.mat'
                savemat(folder / name, dict(xw=window(subject, number, place, size)), **options)
    return root
