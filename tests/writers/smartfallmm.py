"""Trials of SmartFallMM."""

import numpy as np

__all__ = ['START', 'frames', 'motion', 'write', 'write_archive', 'write_frames', 'write_trial']

START = np.datetime64('2023-05-10 13:34:42.097', 'us')
FOLDERS = {
    'watch': 'accelerometer/watch',
    'watch_gyr': 'gyroscope/watch',
    'phone': 'accelerometer/phone',
    'phone_gyr': 'gyroscope/phone',
}


def motion(seconds):
    """Three axes at some times, ``(n, 3)``: sines of 0.25, 0.5 and 1 Hz."""
    return 9.8 * np.sin(2 * np.pi * np.outer(seconds, [0.25, 0.5, 1.0]))


def write_trial(root, trial, seconds, values, device='watch', stamps=None):
    """One file of a watch or phone, without a header; of ``young/S29A01T01``, stamped in seconds after START."""
    group, _, name = trial.partition('/')
    path = root / group / FOLDERS[device] / f'{name}.csv'
    path.parent.mkdir(parents=True, exist_ok=True)
    times = START + np.rint(np.asarray(seconds if stamps is None else stamps) * 1e6).astype('m8[us]')
    rows = [f'{str(time).replace("T", " ")},{x},{y},{z}\n' for time, (x, y, z) in zip(times, np.round(values, 6).tolist())]
    path.write_text(''.join(rows))
    return path


def frames(count, height=1700.0):
    """Joints in whole millimetres, ``(count, 96)``: they stand at their places, and all drift by a frame's number along x."""
    places = np.random.default_rng(0).uniform(-height / 2, height / 2, (32, 3)) + np.array([0, 0, 3000])
    return np.rint(places.reshape(1, 96) + np.arange(count)[:, None] * np.tile([1, 0, 0], 32))


def write_frames(root, trial, joints):
    """The skeleton of a trial, as the archive has it."""
    group, _, name = trial.partition('/')
    path = root / group / 'skeleton' / f'{name}.csv'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(','.join(map(str, row)) + '\n' for row in joints.tolist()))
    return path


def write_archive(path, joints):
    """Skeletons of some trials in one file, as 16-bit integers in which −32768 is missing."""
    np.savez(path, **{trial: np.where(np.isnan(rows), -32768, rows).astype(np.int16) for trial, rows in joints.items()})
    return path


def write(root, people=('young/S29', 'old/S05'), activities=(1, 2), seconds=6.0, sensors=('watch', 'phone', 'skeleton')):
    """Trials of every person: a watch at 32 Hz, a phone at 50 Hz that begins 0.5 s later, and a skeleton at 30 frames a second."""
    times = {'watch': np.arange(round(seconds * 32) + 1) / 32, 'phone': 0.5 + np.arange(round((seconds - 1) * 50) + 1) / 50}
    for number, person in enumerate(people):
        for activity in activities:
            trial = f'{person}A{activity:02d}T01'
            for device in ('watch', 'phone'):
                if device in sensors:
                    write_trial(root, trial, times[device], motion(times[device]) + number + activity / 16, device)
            if 'skeleton' in sensors:
                write_frames(root, trial, frames(round(seconds * 30) + 1) + 10 * number)
    return root
