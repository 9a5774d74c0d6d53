import itertools

import numpy as np
import pytest

from mmkd_plugin.datasets import NormalizeSignal
from mmkd_plugin.datasets.transforms.corrupt import CORRUPTIONS, NEED_AXES, Corrupt

AXES = dict(acc=[(0, 1, 2)], gyr=[(3, 4, 5)])


def sample(name='rec:0', shape=(6, 100), **more):
    signal = np.random.default_rng(len(name)).normal(3, 2, size=shape).astype(np.float32)
    signal.setflags(write=False)
    low, high = -np.arange(1, shape[0] + 1, dtype=np.float32), np.arange(1, shape[0] + 1, dtype=np.float32) * 3
    fitted = dict(mean=low, std=high, min=low, max=high)
    return dict(signal=signal, window_id=name, statistics=fitted, seed=(0, 0, 0), **more)


def corrupt(kind, level, results=None, axes=AXES):
    return Corrupt(kind, level, axes)(results or sample())['signal']


@pytest.mark.parametrize(('name', 'kind', 'level'), CORRUPTIONS, ids=[row[0] for row in CORRUPTIONS])
def test_a_window_is_corrupted_alike_in_every_run(name, kind, level):
    before = sample()
    kept = before['signal'].copy()
    after = corrupt(kind, level, before)
    assert (after.dtype, after.shape) == (np.float32, (6, 100))
    assert (after != kept).any()
    assert np.isfinite(after).all()
    assert (before['signal'] == kept).all()
    assert (corrupt(kind, level, {**before, 'seed': (5, 9, 3)}) == after).all()  # neither run nor epoch


@pytest.mark.parametrize(('kind', 'level'), [('noise', 0.06), ('missing', 0.3), ('rotation', 30)])
def test_windows_are_corrupted_each_its_own_way(kind, level):
    signal = sample()['signal']
    ways = [corrupt(kind, level, {**sample(), 'window_id': f'rec:{i}', 'signal': signal}) for i in range(3)]
    for one, other in itertools.combinations(ways, 2):
        assert (one != other).any()


def test_noise_is_the_same_as_on_signals_scaled_to_0_1():
    noise = np.stack([corrupt('noise', 0.06, s) - s['signal'] for s in (sample(f'rec:{i}') for i in range(1000, 1400))])
    span = np.arange(1, 7) * 4  # of each channel in training
    np.testing.assert_allclose(noise.std(axis=(0, 2)), 0.06 * span, rtol=0.03)
    assert np.abs(noise.mean(axis=(0, 2)) / span).max() < 4 * 0.06 / np.sqrt(40000)
    scaled = NormalizeSignal('minmax')
    clean, noisy = (scaled(r)['signal'] for r in (sample(), Corrupt('noise', 0.06)(sample())))
    assert (noisy - clean).std() == pytest.approx(0.06, rel=0.1)
    np.testing.assert_allclose(
        corrupt('noise', 0.12) - sample()['signal'], 2 * (corrupt('noise', 0.06) - sample()['signal']), atol=1e-5
    )


@pytest.mark.parametrize(('level', 'gap'), [(0.15, 15), (0.22, 22), (0.30, 30)])
def test_a_gap_of_all_channels_holds_the_last_value(level, gap):
    starts = set()
    for i in range(1000, 1200):
        before = sample(f'rec:{i}')
        x = before['signal'] = np.random.default_rng(i).normal(size=(6, 100)).astype(np.float32)
        y = corrupt('missing', level, before)
        changed = (x != y).any(0)
        start = int(np.argmax(changed))
        assert changed.sum() == gap
        assert changed[start : start + gap].all()
        assert (y[:, start : start + gap] == x[:, [start - 1]]).all()
        starts.add(start)
    assert min(starts) >= 1
    assert max(starts) <= 100 - gap
    assert len(starts) > 30


@pytest.mark.parametrize('level', [15, 30, 90])
def test_a_device_is_turned_by_the_angle_as_a_whole(level):
    before = sample(shape=(7, 3))
    before['signal'] = np.concatenate([np.eye(3), 2 * np.eye(3), np.ones((1, 3))]).astype(np.float32)
    y = corrupt('rotation', level, before)
    assert np.degrees(np.arccos((np.trace(y[:3]) - 1) / 2)) == pytest.approx(level, abs=1e-3)
    np.testing.assert_allclose(y[:3] @ y[:3].T, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(y[3:6], 2 * y[:3], atol=1e-6)
    assert (y[6] == 1).all()


@pytest.mark.parametrize(
    ('level', 'signs'),
    [('x', [-1, 1, 1, 1, -1, -1, -1]), ('y', [1, -1, 1, -1, 1, -1, 1]), ('z', [1, 1, -1, -1, -1, 1, 1])],
)
def test_a_mirror_turns_vectors_and_pseudo_vectors_each_their_way(level, signs):
    before = sample(shape=(9, 5))
    axes = dict(AXES, mag=[(6, 7, 8)])
    y = corrupt('mirror', level, before, axes)
    np.testing.assert_array_equal(y[:7], before['signal'][:7] * np.array(signs)[:, None])
    np.testing.assert_array_equal(
        y[6:] / y[:3], before['signal'][6:] / before['signal'][:3]
    )  # the field goes as the acceleration
    np.testing.assert_array_equal(corrupt('mirror', level, {**before, 'signal': y}, axes), before['signal'])


def test_the_mirror_image_of_a_movement_is_a_movement():
    """A point on a turning device: what is seen on the other arm obeys a = dω/dt × r + ω × (ω × r) with the mirrored r."""
    rng = np.random.default_rng(0)
    r, rate, change = rng.normal(size=(3, 3))

    def acceleration(r, rate, change):
        return np.cross(change, r) + np.cross(rate, np.cross(rate, r))

    seen = np.stack([acceleration(r, rate, change), rate, change]).astype(np.float32).reshape(9, 1)
    axes = dict(acc=[(0, 1, 2)], gyr=[(3, 4, 5), (6, 7, 8)])
    a, w, dw = corrupt('mirror', 'x', {**sample(), 'signal': seen}, axes).reshape(3, 3)
    np.testing.assert_allclose(a, acceleration(r * [-1, 1, 1], w, dw), rtol=1e-5)


def test_another_rate_keeps_time_and_loses_bandwidth():
    time = np.arange(200) / 50  # seconds
    loss = {}
    for hertz in (1, 20):
        x = np.sin(2 * np.pi * hertz * time)[None].astype(np.float32)
        for factor in (0.5, 0.8, 1.25):
            loss[hertz, factor] = np.sqrt(np.mean((corrupt('rate', factor, {**sample(), 'signal': x}) - x) ** 2))
    assert max(loss[1, f] for f in (0.5, 0.8, 1.25)) < 0.02  # a movement of 1 Hz stays where it is
    assert loss[20, 0.5] > loss[20, 0.8] > loss[20, 1.25] > 0.1
    line = np.arange(50, dtype=np.float32)[None]
    for factor in (0.5, 0.8, 1.25):
        y = corrupt('rate', factor, {**sample(), 'signal': line})
        np.testing.assert_allclose(y[:, :48], line[:, :48], rtol=1e-5)  # the last sample may fall between two of the sensor's
    x = sample()['signal']
    y = corrupt('rate', 0.5)
    np.testing.assert_array_equal(y[:, :99:2], x[:, :99:2])
    np.testing.assert_allclose(y[:, 1:97:2], (x[:, 0:96:2] + x[:, 2:98:2]) / 2, rtol=1e-5)
    np.testing.assert_array_equal(corrupt('rate', 1.0), x)


def test_axes_may_be_names():
    named = sample(channels=('ax', 'ay', 'az', 'wx', 'wy', 'wz'))
    by_name = dict(acc=[('ax', 'ay', 'az')], gyr=[('wx', 'wy', 'wz')])
    for kind, level in (('rotation', 30), ('mirror', 'x')):
        np.testing.assert_array_equal(corrupt(kind, level, named, by_name), corrupt(kind, level))
    with pytest.raises(ValueError, match='axes name channel 6; the signal has channels 0 to 5'):
        corrupt('rotation', 30, axes=dict(acc=[(4, 5, 6)]))


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (('fog', 1), "kind must be one of noise, missing, rotation, mirror, rate, got 'fog'"),
        (('noise', 0), 'level of noise must be a share of the training range, above 0; got 0'),
        (('noise', 'x'), "level of noise must be a share of the training range, above 0; got 'x'"),
        (('missing', 1), 'level of missing must be a share of the window, between 0 and 1; got 1'),
        (('rotation', 200, AXES), 'level of rotation must be an angle in degrees, above 0 and up to 180; got 200'),
        (('mirror', 0, AXES), "level of mirror must be the axis across the mirror, 'x', 'y' or 'z'; got 0"),
        (('mirror', 'w', AXES), "level of mirror must be the axis across the mirror, 'x', 'y' or 'z'; got 'w'"),
        (('rate', -1), 'level of rate must be a factor above 0; got -1'),
        (('mirror', 'x'), r'mirror needs axes of acc, gyr, mag, like dict\(acc=.*; got None'),
        (('rotation', 15, dict(foo=[(0, 1, 2)])), 'rotation needs axes of acc, gyr, mag'),
        (('rotation', 15, dict(acc=[(0, 1)])), r'axes must be triples of different channels.*got \[\(0, 1\)\]'),
    ],
)
def test_impossible_corruptions_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Corrupt(*given)


def test_a_sample_without_a_name_is_refused():
    with pytest.raises(KeyError, match='Corrupt misses window_id, statistics; the sample has signal'):
        Corrupt('noise', 0.1)(dict(signal=np.zeros((1, 2), np.float32)))


def test_the_suite_is_data():
    assert [row[1:] for row in CORRUPTIONS if row[1] == 'missing'] == [('missing', 0.15), ('missing', 0.22), ('missing', 0.30)]
    assert len({row[0] for row in CORRUPTIONS}) == len(CORRUPTIONS) == 13
    for _, kind, level in CORRUPTIONS:
        Corrupt(kind, level, AXES if kind in NEED_AXES else None)
