"""Trials of WEDA-FALL."""

import numpy as np

from .wisdm2019 import wave

__all__ = ['signal_of', 'write', 'write_sensor']

AXES = dict(accel='xyz', gyro='xyz', orientation='sijk')


def signal_of(seconds, sensor, subject=1):
    """Samples at some times, ``(n, 3)``, ``(n, 4)`` of the orientation."""
    values = wave(seconds * (1 + subject / 50)) + 10 * (sensor == 'gyro')
    return np.column_stack([values, values[:, 0]]) if sensor == 'orientation' else values


def write_sensor(root, movement, subject, sensor, times, trial=1, values=None):
    """One file, as the archive's but for the digits of its values."""
    path = root / 'dataset' / '50Hz' / movement / f'U{subject:02d}_R{trial:02d}_{sensor}.csv'
    path.parent.mkdir(parents=True, exist_ok=True)
    values = signal_of(times, sensor, subject) if values is None else values
    head = ','.join(f'{sensor}_{column}_list' for column in ('time', *AXES[sensor]))
    rows = [','.join(repr(float(number)) for number in (round(at, 3), *row)) for at, row in zip(times, values)]
    path.write_text('\n'.join([head, *rows]) + '\n')
    return path


def write(root, subjects=(1, 2), movements=('D01', 'F01'), seconds=4.0, sensors=tuple(AXES)):
    """A trial of each movement of each subject, and falls from 0.5 s to 3.5 s."""
    times = np.arange(round(seconds * 50) + 1) / 50
    falls = ['\ufefffilename,start_time,end_time']
    for subject in subjects:
        for movement in movements:
            for sensor in sensors:
                write_sensor(root, movement, subject, sensor, times)
            if movement.startswith('F'):
                falls.append(f'{movement}/U{subject:02d}_R01,0.5,3.5')
    (root / 'dataset' / 'fall_timestamps.csv').write_text('\n'.join(falls) + '\n')
    return root
