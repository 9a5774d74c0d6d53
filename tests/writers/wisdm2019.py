"""Files of WISDM 2019."""

import numpy as np

__all__ = ['START', 'wave', 'write', 'write_file']

START = 252_207_666_810_782  # nanoseconds, of the archive's first line


def wave(seconds):
    """Three axes at some times, ``(n, 3)``: sines of 0.5, 1 and 2 Hz."""
    return np.sin(2 * np.pi * np.outer(seconds, [0.5, 1.0, 2.0]))


def write_file(root, sensor, subject, stretches, device='phone', end=';'):
    """One file: stretches are (activity, times in seconds, values); the archive prints numbers as Java does."""
    path = root / 'raw' / device / sensor / f'data_{subject}_{sensor}_{device}.txt'
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for code, seconds, values in stretches:
        for time, row in zip(START + np.rint(np.asarray(seconds) * 1e9).astype(np.int64), values):
            numbers = ','.join(repr(float(value)).replace('e', 'E') for value in row)
            lines.append(f'{subject},{code},{time},{numbers}{end}\n')
    path.write_text(''.join(lines))
    return path


def write(root, subjects=(1600, 1601), activities='AB', seconds=6.0, step=0.05, device='phone', end=';'):
    """Subjects with so many seconds of each activity, activities 100 s apart, both sensors at the same times."""
    times = np.arange(round(seconds / step) + 1) * step
    for subject in subjects:
        for factor, sensor in enumerate(('accel', 'gyro'), 1):
            stretches = [(code, 100 * place + times, factor * wave(times)) for place, code in enumerate(activities)]
            write_file(root, sensor, subject, stretches, device, end)
    return root
