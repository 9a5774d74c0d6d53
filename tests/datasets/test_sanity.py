import re

import numpy as np
import pytest

from mmkd_plugin.datasets import Recording, Recordings
from mmkd_plugin.datasets.inspection.sanity import find_oddities


def recordings(change=None, subjects='123', channels=('acc_x', 'acc_y', 'acc_z', 'gyro_x', 'gyro_y', 'gyro_z')):
    """Somebody at rest who turns slowly, seen in g and rad/s; ``change(subject, signal)`` spoils it."""
    result = []
    for place, subject in enumerate(subjects):
        random = np.random.default_rng(place)
        signal = np.column_stack([random.normal(size=(1000, 2)), random.normal(1, 0.1, 1000), random.normal(size=(1000, 3))])
        signal[:, :2] *= 0.1
        signal = signal.astype(np.float32)
        if change:
            change(subject, signal)
        result.append(Recording(signal, place % 2, subject, subject))
    return Recordings(tuple(result), channels, ('u', 'v'), 50.0)


def scale(who, places, factor):
    def change(subject, signal):
        if subject in who:
            signal[:, places] *= factor

    return change


def put(subject, where, value):
    def change(name, signal):
        if name in subject:
            signal[where] = value

    return change


ACC, GYRO = slice(0, 3), slice(3, 6)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (scale('123', ACC, 100), r'^acc: the median norm is 10\d, near neither 1 \(g\) nor 9\.81 \(m/s²\)$'),
        (
            scale('2', ACC, 9.81),
            r'^acc: subject 2 is in m/s² \(median norm 9\.\d+ for the first\), others are in g \(1\.\d+\)$',
        ),
        (scale('123', GYRO, 57.3), r'^gyro: a hundredth of the norms is above 1\d\d: deg/s, where rad/s is usual$'),
        (scale('3', GYRO, 57.3), r'^gyro: subject 3 is far above the others .*: deg/s beside rad/s\?$'),
        (scale('23', GYRO, 57.3), r'^gyro: subject 1 is far below the others .*: deg/s beside rad/s\?$'),
        (put('123', (slice(None), 4), 2.5), r'^gyro_y is constant, 2\.5$'),
        (put('2', (slice(None), 4), 2.5), r'^gyro_y is constant for subject 2, 2\.5 for the first$'),
        (
            put('2', (70, 5), 30),
            r'^gyro_z: 1 sample\(s\) are more than 20 robust standard deviations \(.*\) from the median .*, by up to 30; '
            r"the first is sample 70 of recording '2'$",
        ),
        (put('123', (slice(600), 5), 0), r'^gyro_z: half of its samples or more are 0; outliers cannot be found$'),
        (
            scale('123', [5], 1e5),
            r'^standard deviations go from 0\.\d+ \(acc_\w\) to 9.*e\+04 \(gyro_z\): more than 1,000 times$',
        ),
    ],
)
def test_what_looks_wrong_is_said(change, message):
    result = find_oddities(recordings(change))
    assert any(re.search(message, sentence) for sentence in result), result


def test_what_looks_right_is_not_spoken_of():
    assert find_oddities(recordings()) == []
    assert find_oddities(recordings(scale('123', ACC, 9.81))) == []  # m/s²
    assert (
        find_oddities(recordings(scale('123', ACC, 0.1), channels=tuple(f'body_acc_{a}' for a in 'xyz') + tuple('abc'))) == []
    )
    assert find_oddities(recordings(subjects=['a', 'b', '7'])) == []


def test_missing_subjects_and_mixed_units_are_said():
    assert find_oddities(recordings(subjects=['8', '9', '11'])) == ['of subjects 8 to 11, these are missing: 10']
    few = [
        '1000000001',
        '4000000002',
        '9000000001',
        '9' * 5000,
        's1',
        's9000000001',
    ]  # no work that grows with a number's value
    assert find_oddities(recordings(subjects=few)) == []
    long = ['9000000001', '9000000002', '9000000004']
    assert find_oddities(recordings(subjects=long)) == ['of subjects 9000000001 to 9000000004, these are missing: 9000000003']
    channels = tuple(f'{where}_acc_{axis}' for where in ('hand', 'chest') for axis in 'xyz')

    def second_in_metres(subject, signal):
        signal[:, 3:] = signal[:, :3] * 9.81

    result = find_oddities(recordings(second_in_metres, channels=channels))
    assert result == ['accelerations are in two units: hand_acc in g, chest_acc in m/s²']
