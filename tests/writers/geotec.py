"""Executions of GeoTec SPSW."""

import numpy as np

from .wisdm2019 import wave

__all__ = ['LABELS', 'START', 'signal_of', 'write', 'write_device']

START = 1_657_533_978_000  # milliseconds, about those of the archive's first line
LABELS = ('SEATED', 'STANDING_UP', 'WALKING', 'TURNING', 'SITTING_DOWN')


def signal_of(seconds, device, subject=1):
    """Samples at some times, ``(n, 6)``."""
    values = wave(seconds * (1 + subject / 50)) + 10 * (device == 'sp')
    return np.hstack([values, values / 2])


def write_device(root, subject, device, times, execution=1, stamps=None, each=1.0):
    """One file; times are when samples were taken, stamps when they were delivered; every label lasts so many seconds."""
    path = root / 'DATA' / f's{subject:02d}' / f's{subject:02d}_{execution:02d}_{device}.csv'
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ['x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,timestamp,label']
    values = signal_of(times, device, subject)
    for at, row, stamp in zip(times, values, times if stamps is None else stamps):
        label = LABELS[min(int(at / each), len(LABELS) - 1)]
        lines.append(','.join([*(repr(float(number)) for number in row), str(START + round(1000 * stamp)), label]))
    path.write_text('\n'.join(lines) + '\n')
    return path


def write(root, subjects=(1, 2), devices=('sw', 'sp'), seconds=5.0, each=1.0):
    """An execution of each subject, seen by each device."""
    for subject in subjects:
        for device in devices:
            write_device(root, subject, device, np.arange(round(seconds * 100)) / 100, each=each)
    return root
