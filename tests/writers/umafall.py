"""Trials of UMAFall."""

import numpy as np

from .wisdm2019 import wave

__all__ = ['ALL', 'SENSORS', 'signal_of', 'write', 'write_trial']

SENSORS = dict(RIGHTPOCKET=0, CHEST=1, WAIST=2, WRIST=3, ANKLE=4)
ALL = ('CHEST', 'WAIST', 'WRIST', 'ANKLE')
HEAD = """% Universidad de Malaga - ETSI de Telecomunicacion (Spain)
% ID: {name}
% Name: Subject_{subject:02d}

% Type of Movement: {kind}
% Description of the movement: {movement}
% Trial: {trial}

% MAC Address; Sensor_ID; Position; Device Model
{tags}

% Sensor_Type:
% Accelerometer = 0

% TimeStamp; Sample No; X-Axis; Y-Axis; Z-Axis; Sensor Type; Sensor ID;
"""


def signal_of(seconds, position, kind, subject=1):
    """Samples at some times, ``(n, 3)``, which tell position, kind and subject."""
    return wave(seconds * (1 + subject / 50)) + SENSORS[position] + 10 * kind


def write_trial(root, subject=1, movement='Walking', trial=1, positions=ALL, seconds=2.0, stamp=None, end='', lost=()):
    """One file; ``stamp`` makes the times of delivery of the times of sampling, both in seconds, and ``lost`` samples are not there."""
    kind = 'Fall' if movement.endswith('Fall') else 'ADL'
    name = f'Subject_{subject:02d}_{kind}_{movement}_{trial}'
    tags = '\n'.join(f'%F4:09:D8:72:64:3A; {SENSORS[place]}; {place}; SensorTag' for place in ('RIGHTPOCKET', *ALL))
    times = np.delete(0.1 + np.arange(round(seconds * 20) + 1) / 20, lost)
    stamps = times if stamp is None else stamp(times)
    rows = [(50, 0, 1, 0, 0, 0, 0)]  # one of the phone
    for position in positions:
        for kind_number in range(3):
            values = signal_of(times, position, kind_number, subject)
            rows += [
                (round(1000 * at), number, *map(float, row), kind_number, SENSORS[position])
                for number, (at, row) in enumerate(zip(stamps, values))
            ]
    rows.sort(key=lambda row: row[0])
    head = HEAD.format(name=name, subject=subject, kind=kind.upper(), movement=movement, trial=trial, tags=tags)
    path = root / f'UMAFall_{name}_2016-06-13_20-27-49.csv'
    root.mkdir(parents=True, exist_ok=True)
    path.write_text(head + ''.join(';'.join(map(repr, row)) + end + '\n' for row in rows))
    return path


def write(root, subjects=(1, 2), movements=('Walking', 'forwardFall'), **trial):
    """A trial of each movement of each subject."""
    for subject in subjects:
        for movement in movements:
            write_trial(root, subject, movement, **trial)
    return root
