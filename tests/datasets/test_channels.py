import numpy as np
import pytest

from mmkd_plugin.apis.robustness import find_axes
from mmkd_plugin.datasets import (
    HAPT,
    NAB,
    PAMAP2,
    UCIHAR,
    WISDM2019,
    BasicMotions,
    GENEActiv,
    GeoTec,
    Recording,
    Recordings,
    SeglearnWatch,
    UMAFall,
    WEDAFall,
)
from mmkd_plugin.datasets.channels import KINDS, sensors_of
from mmkd_plugin.datasets.inspection import find_oddities
from mmkd_plugin.datasets.transforms.corrupt import MIRRORED


def sensors(*channels):
    return [(sensor.name, sensor.kind, sensor.channels) for sensor in sensors_of(channels)]


def test_axes_of_one_name_are_a_sensor():
    names = ('heart', 'acc_x', 'acc_y', 'acc_z', 'wx', 'wy', 'wz')
    assert sensors(*names) == [('heart', None, (0,)), ('acc', 'acc', (1, 2, 3)), ('w', 'gyr', (4, 5, 6))]
    names = ('x', 'y', 'z', 'max', 'Acc-X', 'Acc-Y')  # two axes are no triple
    assert sensors(*names) == [('xyz', 'acc', (0, 1, 2)), ('max', None, (3,)), ('Acc-X', 'acc', (4,)), ('Acc-Y', 'acc', (5,))]
    names = ('hand.Mag.z', 'hand.Mag.y', 'hand.Mag.x', 'rot x', 'rot y', 'rot z')
    assert sensors(*names) == [('hand.Mag', 'mag', (2, 1, 0)), ('rot', None, (3, 4, 5))]


@pytest.mark.parametrize(
    ('channels', 'kinds'),
    [
        (SeglearnWatch.channels, ['acc', 'gyr']),
        (BasicMotions.channels, ['acc', 'gyr']),
        (UCIHAR.channels, ['acc', 'gyr', 'acc']),
        (HAPT('').channels, ['acc', 'gyr']),
        (WISDM2019('').channels, ['acc', 'gyr']),
        (GeoTec('').channels, ['acc', 'gyr']),
        (UMAFall('', ['body']).channels, ['acc', 'gyr', 'mag'] * 4),
        (WEDAFall('').channels, ['acc', 'gyr', *[None] * 4]),
        (GENEActiv.channels, ['acc']),
        (PAMAP2.channels, [None, *[None, 'acc', 'acc', 'gyr', 'mag'] * 3]),  # heart rate; three temperatures
        (NAB.channels, [None]),
    ],
)
def test_sensors_of_the_readers(channels, kinds):
    assert [sensor.kind for sensor in sensors_of(channels)] == kinds


@pytest.mark.parametrize(
    ('sensor', 'kind'),
    [
        ('', 'acc'),
        ('a', 'acc'),
        ('w', 'gyr'),
        ('g', 'gyr'),
        ('omega_', 'gyr'),
        ('chest_acc_', 'acc'),
        ('Gyro-', 'gyr'),
        ('q', None),
    ],
)
def test_corruptions_and_checks_agree_on_what_is_measured(sensor, kind):
    """Norms of 200 are too large for an acceleration in either unit, and those of a gyroscope in deg/s."""
    channels = tuple(f'{sensor}{axis}' for axis in 'xyz')
    axes, notes = find_axes(channels)
    assert axes == ({kind: [[0, 1, 2]]} if kind else {})
    assert len(notes) == (kind is None)
    signal = np.random.default_rng(0).normal(115, 5, size=(2000, 3)).astype(np.float32)
    oddities = find_oddities(Recordings((Recording(signal, 0, 'a', 'a'),), channels, ('u',), 50.0))
    expected = {'acc': 'near neither 1 (g) nor 9.81', 'gyr': 'deg/s, where rad/s is usual'}
    assert [text for text in expected.values() if any(text in oddity for oddity in oddities)] == (
        [expected[kind]] if kind else []
    )


def test_gravity_that_is_taken_out_is_known_by_the_name():
    names = [f'{sensor}_{axis}' for sensor in ('body_acc', 'LinearAcc', 'total_acc', 'body_gyro') for axis in 'xyz']
    assert [sensor.without_gravity for sensor in sensors_of(names)] == [True, True, False, False]


def test_every_kind_has_a_mirror_image():
    assert set(MIRRORED) == set(KINDS)


def test_a_gyroscope_without_any_motion_is_constant_and_no_more():
    recordings = tuple(Recording(np.zeros((500, 3), np.float32), 0, name, name) for name in 'ab')
    oddities = find_oddities(Recordings(recordings, ('wx', 'wy', 'wz'), ('u',), 50.0))
    assert oddities == ['wx is constant, 0', 'wy is constant, 0', 'wz is constant, 0']
