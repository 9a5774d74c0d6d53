"""A contract of two known sensors and a student that keeps it, for everything that asks a student; artefacts of another one."""

import numpy as np
import pytest
from helpers import call, write_student
from students import TINY_DATA, write_random_student

from mmkd_plugin.deploy import Contract

CHANNELS = ('acc_x', 'acc_y', 'acc_z', 'gyr_x', 'gyr_y', 'gyr_z')


def moving(seconds=4.0, rate=50.0, seed=0):
    """An arm that swings: gravity along y, acceleration in g, angular velocity in rad/s, ``(T, 6)``."""
    rng, t = np.random.default_rng(seed), np.arange(round(seconds * rate)) / rate
    phase = np.stack([np.sin(2 * np.pi * (0.7 + 0.1 * channel) * t + channel) for channel in range(6)], 1)
    centre, size = np.array([0.1, 0.9, -0.1, 0, 0, 0]), np.array([0.3, 0.2, 0.2, 1, 2, 1])
    return (centre + size * phase + 0.01 * rng.normal(size=phase.shape)).astype(np.float32)


@pytest.fixture(scope='session')
def contract():
    """Of windows of 1 s at 50 Hz, by halves."""
    train = moving(60).astype(np.float64)
    return Contract(
        classes=('rest', 'walk', 'run'),
        channels=CHANNELS,
        units=('g',) * 3 + ('rad/s',) * 3,
        rate=50.0,
        window=50,
        hop=25,
        statistics={name: getattr(train, name)(0).tolist() for name in ('mean', 'std', 'min', 'max')},
        subjects=('ann',),
    )


@pytest.fixture(scope='session')
def student_file(tmp_path_factory, contract):
    return write_student(tmp_path_factory.mktemp('student') / 'student_best.pth', contract)


@pytest.fixture(scope='session')
def swing():
    return moving


@pytest.fixture(scope='session')
def exported(tmp_path_factory):
    """Folder of a student, its float and its int8 artefact with headers, and what the command has printed."""
    pytest.importorskip('onnxruntime', reason="onnxruntime is not installed: pip install 'mmkd_plugin[export]'")
    folder = tmp_path_factory.mktemp('export')
    path = write_random_student(folder)
    done = call('export', path, *TINY_DATA, '--int8', '--max-drop', '100', '--header', folder=folder)
    assert (done.returncode, done.stderr) == (0, '')
    return folder, done.stdout
