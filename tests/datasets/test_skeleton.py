import numpy as np
import pytest
from mmengine.dataset import Compose

from mmkd_plugin.datasets import NormalizeSkeleton
from mmkd_plugin.datasets.readers.smartfallmm import SmartFallMM
from mmkd_plugin.registry import TRANSFORMS

JOINTS = ('hip', 'neck', 'hand')
CHANNELS = tuple(f'skeleton_{joint}_{axis}' for joint in JOINTS for axis in 'xyz')


def sample(joints, channels=CHANNELS):
    """A window of joints ``(J, 3, T)``."""
    return dict(signal=joints.reshape(len(channels), -1).astype(np.float32), channels=channels)


@pytest.fixture
def window():
    return np.random.default_rng(0).normal(size=(3, 3, 20))


@pytest.fixture
def normalize():
    return NormalizeSkeleton(root='hip', scale=('hip', 'neck'))


def test_joints_by_hand(normalize):
    # The hip walks along x; the neck is 2 above it, the hand 1 beside it.
    hip = np.array([[1.0, 2.0, 5.0], [0, 0, 0], [3, 3, 3]])
    joints = hip + np.array([[0, 0, 0], [0, 2, 0], [0, 0, 1]])[:, :, None]
    result = normalize.transform(sample(joints))['signal'].reshape(3, 3, 3)
    np.testing.assert_array_equal(result[0], np.zeros((3, 3)))
    np.testing.assert_array_equal(result[1], [[0, 0, 0], [1, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(result[2], [[0, 0, 0], [0, 0, 0], [0.5, 0.5, 0.5]])
    assert result.dtype == np.float32
    # The length is the median over the frames, so that a bone that is wrong in one frame stays wrong there.
    joints[1, 1, 2] = 4
    np.testing.assert_array_equal(normalize.transform(sample(joints))['signal'][4], [1, 1, 2])


def test_where_somebody_stands_and_how_tall_they_are_is_of_no_account(window, normalize):
    expected = normalize.transform(sample(window))['signal']
    course = np.random.default_rng(1).normal(size=(1, 3, 20))  # another place in every frame
    for other in (window + course, 1000 * window, 1.7 * window - 3):
        np.testing.assert_allclose(normalize.transform(sample(other))['signal'], expected, atol=2e-5)
    assert not np.allclose(
        normalize.transform(sample(window * [[[1]], [[1]], [[2]]]))['signal'], expected
    )  # longer arms are seen


def test_joints_are_found_by_name(window, normalize):
    order = np.random.default_rng(2).permutation(9)
    names = tuple(CHANNELS[index] for index in order)
    mixed = dict(signal=sample(window)['signal'][order], channels=names)
    before = mixed['signal'].copy()
    expected = normalize.transform(sample(window))['signal'][order]
    np.testing.assert_array_equal(normalize.transform(mixed)['signal'], expected)
    np.testing.assert_array_equal(mixed['signal'], before)


def test_in_a_pipeline_with_all_joints_of_a_camera():
    channels = SmartFallMM.all_sensors['skeleton'].channels
    signal = np.random.default_rng(3).normal(size=(96, 5)).astype(np.float32)
    steps = Compose([TRANSFORMS.build(dict(type='NormalizeSkeleton', root='pelvis', scale=['pelvis', 'neck']))])
    result = steps(dict(signal=signal, channels=channels))['signal']
    assert not result[:3].any()
    assert np.median(np.linalg.norm(result[9:12], axis=0)) == pytest.approx(1)


@pytest.mark.parametrize(
    ('options', 'channels', 'message'),
    [
        (dict(scale='hip'), CHANNELS, "scale must be two different joints, got 'hip'"),
        (dict(scale=('hip', 'hip')), CHANNELS, r"scale must be two different joints, got \('hip', 'hip'\)"),
        (dict(root='tail'), CHANNELS, "there is no joint 'tail'; there are hip, neck, hand"),
        (dict(scale=('hip', 'nose')), CHANNELS, "there is no joint 'nose'; there are hip, neck, hand"),
        ({}, (*CHANNELS[:8], 'acc_x'), "channels must be joints in three axes, as 'skeleton_head_x'; .* for 'acc_x'"),
        ({}, (*CHANNELS[:8], 'skeleton_foot_x'), "channels must be joints in three axes, .* for 'skeleton_hand_z'"),
        (
            dict(prefix='kinect_'),
            CHANNELS,
            "channels must be joints in three axes, as 'kinect_head_x'; .* for 'skeleton_hip_x'",
        ),
    ],
)
def test_joints_that_are_not_there(options, channels, message, window):
    with pytest.raises(ValueError, match=message):
        NormalizeSkeleton(**{'root': 'hip', 'scale': ('hip', 'neck'), **options}).transform(sample(window, channels))


def test_joints_that_lie_on_one_another(window, normalize):
    window[1] = window[0]
    with pytest.raises(ValueError, match='hip and neck lie on one another: their distance is no length'):
        normalize.transform(sample(window))
