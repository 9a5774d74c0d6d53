import itertools
import math

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.datasets.transforms.augment import (
    Crop,
    DropChannels,
    Jitter,
    RotateAxes,
    Scale,
    SignalAugmentation,
    TimeWarp,
)
from mmkd_plugin.datasets.transforms.geometry import axis_rotation, resample, uniform_direction, uniform_rotation
from mmkd_plugin.engine.hooks.cache_hook import random_transforms

AXES = [(0, 1, 2), (3, 4, 5)]
ALL = [Jitter(), Scale(), RotateAxes(AXES), RotateAxes(AXES, angle=30), TimeWarp(), Crop(), DropChannels(0.5)]
NAMES = ['Jitter', 'Scale', 'RotateAxes', 'RotateAxes', 'TimeWarp', 'Crop', 'DropChannels']


def sample(index=0, epoch=0, shape=(6, 50), **more):
    signal = np.random.default_rng(index).normal(size=shape).astype(np.float32)
    signal.setflags(write=False)  # windows are parts of recordings, which nobody may change
    return dict(signal=signal, seed=(7, epoch, index), **more)


def ramp(length, slope=1):
    return dict(signal=np.arange(length, dtype=np.float32)[None] * slope, seed=(0, 0, 0))


@pytest.mark.parametrize('transform', ALL, ids=NAMES)
def test_one_seed_gives_one_signal_and_the_input_stays_as_it_is(transform):
    before = sample()
    kept = before['signal'].copy()
    after = transform(before)
    assert (after['signal'].dtype, after['signal'].shape) == (np.float32, (6, 50))
    assert (after['signal'] != kept).any()
    assert (before['signal'] == kept).all()
    assert (transform(sample())['signal'] == after['signal']).all()
    others = [transform({**before, 'seed': seed})['signal'] for seed in ((8, 0, 0), (7, 1, 0), (7, 0, 1))]
    for one, other in itertools.combinations([after['signal'], *others], 2):
        assert (one != other).any()


def test_two_of_a_pipeline_draw_different_numbers():
    class Other(Jitter):
        pass

    same, other, salted = (t(sample())['signal'] for t in (Jitter(), Other(), Jitter(salt=1)))
    assert (same == Jitter(salt='')(sample())['signal']).all()
    assert (same != other).all()
    assert (same != salted).all()
    one, two = (RotateAxes([triple])(sample())['signal'] for triple in AXES)
    raw = sample()['signal']
    turns = [np.linalg.lstsq(raw[list(t)].T, x[list(t)].T)[0].T for t, x in zip(AXES, (one, two))]
    assert np.abs(turns[0] - turns[1]).max() > 0.1  # the axes tell the devices apart


def test_a_window_is_changed_with_its_probability():
    changed = [Jitter(prob=0.25)(s)['signal'] is not s['signal'] for s in map(sample, range(2000))]
    assert np.mean(changed) == pytest.approx(0.25, abs=4 * math.sqrt(0.25 * 0.75 / 2000))
    assert Jitter(prob=0)(sample())['signal'].tolist() == sample()['signal'].tolist()


def test_jitter_has_the_deviation_that_it_says():
    noise = np.stack([Jitter(0.3)(s)['signal'] - s['signal'] for s in map(sample, range(400))])  # 120,000 draws
    assert noise.mean() == pytest.approx(0, abs=4 * 0.3 / math.sqrt(noise.size))
    assert noise.std() == pytest.approx(0.3, rel=0.01)
    assert np.abs(noise.mean(axis=(0, 2))).max() < 0.01
    assert (Jitter(0)(sample())['signal'] == sample()['signal']).all()


def test_scale_by_hand():
    scale, before = Scale(0.1), sample()
    generator = np.random.default_rng((*before['seed'], scale.salt))
    generator.random()  # whether the window is changed
    factors = 1 + 0.1 * generator.standard_normal((6, 1), dtype=np.float32)
    np.testing.assert_array_equal(scale(before)['signal'], before['signal'] * factors)
    drawn = np.array([Scale(0.1)(ramp(2) | dict(seed=(0, 0, i)))['signal'][0, 1] for i in range(4000)])
    assert drawn.mean() == pytest.approx(1, abs=4 * 0.1 / math.sqrt(4000))
    assert drawn.std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize('angle', [None, 30])
def test_a_rotation_keeps_lengths_and_angles_and_turns_all_triples_alike(angle):
    before = sample(shape=(7, 50))
    before['signal'] = np.concatenate([before['signal'][:3], before['signal'][:3] * 2, before['signal'][6:]])
    x, y = before['signal'], RotateAxes(AXES, angle)(before)['signal']
    np.testing.assert_allclose(np.linalg.norm(y[:3], axis=0), np.linalg.norm(x[:3], axis=0), rtol=1e-5)
    np.testing.assert_allclose(y[3:6], 2 * y[:3], rtol=1e-5)
    np.testing.assert_allclose(y[:3].T @ y[:3], x[:3].T @ x[:3], atol=1e-4)
    np.testing.assert_array_equal(y[6], x[6])  # no axis of a triple


def test_rotations_by_hand():
    quarter = axis_rotation(np.array([0, 0, 1]), 90)
    np.testing.assert_allclose(quarter, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-15)
    third = axis_rotation(np.ones(3) / math.sqrt(3), 120)  # x to y to z to x
    np.testing.assert_allclose(third, [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-15)
    generator = np.random.default_rng(0)
    for turn in (uniform_rotation(generator), axis_rotation(uniform_direction(generator), 77)):
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(turn) == pytest.approx(1)
    assert np.trace(turn) == pytest.approx(1 + 2 * math.cos(math.radians(77)))


def test_rotations_are_uniform():
    """Over SO(3): the mean is 0, entries have variance 1/3, and the trace, a character, has mean 0 and mean square 1."""
    generator = np.random.default_rng(0)
    turns = np.stack([uniform_rotation(generator) for _ in range(8000)])
    traces = np.trace(turns, axis1=1, axis2=2)
    assert np.abs(turns.mean(0)).max() < 4 / math.sqrt(3 * 8000)
    np.testing.assert_allclose((turns**2).mean(0), 1 / 3, atol=4 * 0.3 / math.sqrt(8000))
    assert traces.mean() == pytest.approx(0, abs=4 / math.sqrt(8000))
    assert (traces**2).mean() == pytest.approx(1, abs=0.08)


def test_the_angle_of_a_limited_rotation_is_uniform_up_to_its_limit():
    one = np.zeros((3, 3), np.float32)
    np.fill_diagonal(one, 1)
    turns = [RotateAxes([(0, 1, 2)], 60)(dict(signal=one, seed=(0, 0, i)))['signal'] for i in range(1000)]
    angles = np.degrees(np.arccos(np.clip((np.array([np.trace(t) for t in turns]) - 1) / 2, -1, 1)))
    assert angles.max() < 60.1
    assert angles.mean() == pytest.approx(30, abs=4 * 60 / math.sqrt(12 * 1000))


def test_axes_may_be_names():
    names = ('x', 'gx', 'y', 'gy', 'z', 'gz')
    by_name = RotateAxes([('x', 'y', 'z')], salt='s')
    by_place = RotateAxes([(0, 2, 4)], salt='s')
    by_place.salt = by_name.salt
    before = sample(channels=names)
    np.testing.assert_array_equal(by_name(before)['signal'], by_place(before)['signal'])
    with pytest.raises(ValueError, match=r"axes name channel 'x'; the signal has channels 0 to 5 \(no names\)"):
        by_name(sample())
    with pytest.raises(ValueError, match=r'axes name channel 6; the signal has channels 0 to 5 \(x, gx, y, gy, z, gz\)'):
        RotateAxes([(4, 5, 6)])(before)


def test_axes_are_told_by_the_names_of_the_channels():
    names = ('acc_x', 'heart_rate', 'acc_y', 'acc_z')
    before = {
        'signal': np.random.default_rng(0).standard_normal((4, 9)).astype(np.float32),
        'seed': (0, 0, 1),
        'channels': names,
    }
    after, named = RotateAxes(angle=30)(before)['signal'], RotateAxes([('acc_x', 'acc_y', 'acc_z')], 30)(before)['signal']
    np.testing.assert_array_equal(after[1], before['signal'][1])
    for x in (after, named):
        np.testing.assert_allclose(
            np.linalg.norm(x[[0, 2, 3]], axis=0), np.linalg.norm(before['signal'][[0, 2, 3]], axis=0), rtol=1e-5
        )
        assert np.abs(x[0] - before['signal'][0]).max() > 1e-3
    for nameless in ({**before, 'channels': ('a', 'b', 'c', 'd')}, {key: before[key] for key in ('signal', 'seed')}):
        np.testing.assert_array_equal(RotateAxes(angle=30)(nameless)['signal'], before['signal'])


def test_warped_time_goes_forward_from_end_to_end():
    for seed in range(50):
        course = TimeWarp(strength=1.5).course(100, np.random.default_rng(seed))
        assert (np.diff(course) > 0).all()
        assert (course[0], course[-1]) == (0, pytest.approx(99))
    warped = TimeWarp(strength=0.5)(ramp(100))['signal'][0]
    assert (np.diff(warped) > 0).all()
    assert np.abs(warped - np.arange(100)).max() > 1
    assert np.abs(np.diff(warped, 2)).max() < 0.25  # no kink
    np.testing.assert_array_equal(TimeWarp(strength=0)(sample())['signal'], sample()['signal'])


def test_a_crop_by_hand():
    before, crop = ramp(11), Crop(0.5)
    generator = np.random.default_rng((*before['seed'], crop.salt))
    generator.random()
    start = generator.uniform(0, 5)  # a part of 5 of the 10 steps
    np.testing.assert_allclose(crop(before)['signal'][0], start + np.linspace(0, 5, 11), rtol=1e-6)
    np.testing.assert_array_equal(Crop(1)(sample())['signal'], sample()['signal'])


def test_a_signal_is_read_between_its_samples():
    x = np.array([[0, 10, 20], [5, 5, 6]], np.float32)
    np.testing.assert_allclose(resample(x, np.array([0, 0.25, 1, 1.5, 2, 9])), [[0, 2.5, 10, 15, 20, 20], [5, 5, 5, 5.5, 6, 6]])


def test_channels_are_dropped_whole_and_never_all():
    ones = [dict(signal=np.ones((4, 5), np.float32), seed=(0, 0, i)) for i in range(3000)]
    kept = np.stack([DropChannels(0.3)(one)['signal'] for one in ones])
    assert ((kept == 0) | (kept == 1)).all()
    assert (kept == kept[:, :, :1]).all()
    # Each is dropped with 0.3, less a quarter of the cases in which all four would be.
    expected = 0.3 - 0.3**4 / 4
    assert 1 - kept.mean() == pytest.approx(expected, abs=4 * math.sqrt(0.21 / 12000))
    rest = np.stack([DropChannels(0.999)(one)['signal'][:, 0] for one in ones[:1000]])
    assert (rest.sum(1) >= 1).all()
    assert rest.mean(0).min() > 0.15  # any of them may be the one that stays
    assert (DropChannels(0)(sample())['signal'] == sample()['signal']).all()


def motions(*transforms):
    subjects = dict(train=['train_?[01245689]'], val=['train_?[37]'], test=['test_*'])
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        return WindowDataset(dict(type='BasicMotions'), 'train', subjects, 100, 100, [*transforms, dict(type='PackWindows')])


def test_windows_change_with_the_epoch_and_not_with_the_worker():
    kinds = [dict(type=kind) for kind in ('Jitter', 'Scale', 'TimeWarp', 'Crop', 'DropChannels')]
    augmented = motions(dict(type='RotateAxes', axes=AXES), dict(type='NormalizeSignal'), *kinds)
    assert random_transforms(augmented) == ['RotateAxes', 'Jitter', 'Scale', 'TimeWarp', 'Crop', 'DropChannels']
    assert random_transforms(motions(dict(type='NormalizeSignal'))) == []

    def drawn(epoch, workers):
        augmented.epoch.fill_(epoch)
        loader = DataLoader(augmented, batch_size=8, num_workers=workers, collate_fn=pseudo_collate)
        return torch.stack([x for batch in loader for x in batch['inputs']])

    alone = drawn(0, 0)
    assert (drawn(0, 2) == alone).all()
    assert (drawn(1, 0) != alone).flatten(1).any(1).all()


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: Jitter(-0.1), 'sigma must be at least 0 and finite, got -0.1'),
        (lambda: Jitter(math.nan), 'sigma must be at least 0 and finite, got nan'),
        (lambda: Scale(math.inf), 'sigma must be at least 0 and finite, got inf'),
        (lambda: Scale(prob=1.5), 'prob must be from 0 to 1, got 1.5'),
        (
            lambda: RotateAxes([]),
            r'axes must be triples of different channels, for example \[\(0, 1, 2\), \(3, 4, 5\)\]; got \[\]',
        ),
        (lambda: RotateAxes([(0, 1)]), r'axes must be triples of different channels.*got \[\(0, 1\)\]'),
        (lambda: RotateAxes([(0, 1, 2), (2, 3, 4)]), 'axes must be triples of different channels'),
        (lambda: RotateAxes(AXES, angle=0), 'angle is in degrees, above 0 and up to 180; got 0'),
        (lambda: RotateAxes(AXES, angle=181), 'angle is in degrees, above 0 and up to 180; got 181'),
        (lambda: TimeWarp(knots=1), 'knots must be at least 2, got 1'),
        (lambda: TimeWarp(strength=-1), 'strength must be at least 0 and finite, got -1'),
        (lambda: Crop(0), 'share must be above 0 and up to 1, got 0'),
        (lambda: Crop(1.1), 'share must be above 0 and up to 1, got 1.1'),
        (lambda: DropChannels(1), 'p must be from 0 and below 1, got 1'),
    ],
)
def test_impossible_numbers_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_sample_without_a_seed_is_refused():
    with pytest.raises(KeyError, match='Jitter needs the seed that WindowDataset gives; the sample has signal'):
        Jitter()(dict(signal=np.zeros((1, 2), np.float32)))
    with pytest.raises(NotImplementedError, match='SignalAugmentation defines no augment'):
        SignalAugmentation()(sample())
