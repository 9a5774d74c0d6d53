"""Signals unlike training: silence where they are alike, and one sentence for each fault."""

import dataclasses

import numpy as np
import pytest

from mmkd_plugin.datasets import HAPT, BasicMotions, SeglearnWatch
from mmkd_plugin.deploy import Contract, find_drift


def contract_of(reader, train, window, channels=None):
    signal = np.concatenate([recording.signal for recording in train]).astype(np.float64)
    return Contract(
        classes=reader.classes,
        channels=reader.channels,
        units=reader.units,
        rate=reader.rate,
        window=window,
        hop=window // 2,
        statistics={name: getattr(signal, name)(0).tolist() for name in ('mean', 'std', 'min', 'max')},
        subjects=('x',),
    )


@pytest.fixture(scope='module')
def watch():
    """The contract of the default data, and the recordings of its two test subjects."""
    recordings = SeglearnWatch().read_all().recordings
    train = [r for r in recordings if r.subject in '123456']
    return contract_of(SeglearnWatch(), train, 200), [r.signal for r in recordings if r.subject in ('9', '10')]


def changed(signals, how):
    copies = [signal.astype(np.float64) for signal in signals]
    for signal in copies:
        how(signal)
    return copies


def times(factor, *columns):
    def how(signal):
        signal[:, columns] *= factor

    return how


def exchanged(one, other):
    def how(signal):
        signal[:, [one, other]] = signal[:, [other, one]]

    return how


def held(column, value=None):
    def how(signal):
        signal[len(signal) // 4 :, column] = signal[len(signal) // 4, column] if value is None else value

    return how


def offset(column, value):
    def how(signal):
        signal[:, column] += value

    return how


def shifted(signal):
    signal[:, :3] -= signal[:, :3].mean(0)


def gap(signal):
    signal[30:40, 1] = np.nan


def test_the_watch_s_own_test_subjects_pass_in_silence(watch):
    contract, signals = watch
    assert len(signals) == 28
    assert find_drift(contract, signals, rate=49.0) == []  # a clock that is off by 2 %
    assert [find_drift(contract, signal) for signal in signals] == [[]] * 28


@pytest.mark.parametrize(
    ('how', 'message'),
    [
        (times(9.80665, 0, 1, 2), 'ax, ay, az: the acceleration has a size of 10.4 (median), as in m/s², and the student has '
         'learned from g: multiply by 0.1019'),
        (times(1000, 0, 1, 2), 'as in mg, and the student has learned from g: multiply by 0.001'),
        (times(1 / 9.80665, 0, 1, 2), 'ax, ay, az: the acceleration has a size of 0.108 g (median), where gravity alone is 1'),
        (shifted, 'ax, ay, az: gravity is missing: its mean over a window is 0.071 g'),
        (exchanged(0, 1), 'would be nearest to training'),
        (times(-1, 1), '−ay for ay would be nearest to training'),
        (held(2), 'az stands still at '),
        (held(4, 0.0), 'wy stands still at 0 for '),
        (times(57.3, 3, 4, 5), 'wx, wy, wz: the angular velocity has a size of 148 (RMS), and training had 3.04 rad/s: '
         '48.7 times more, as in another unit'),
        (times(1 / 57.3, 3, 4, 5), '67.4 times less, as in another unit'),
        (gap, 'ay: 280 of '),
    ],
)  # fmt: skip
def test_every_fault_of_real_recordings_is_one_sentence(how, message, watch):
    contract, signals = watch
    sentences = find_drift(contract, changed(signals, how))
    assert len(sentences) == 1
    assert message in sentences[0]


def test_half_the_rate_is_told_by_time_stamps(watch):
    contract, signals = watch
    assert find_drift(contract, signals[0], rate=25.0) == ['time stamps run at 25 Hz, and the student has learned from 50 Hz']


def test_a_channel_that_comes_back_is_stuck_as_well(watch):
    contract, signals = watch
    signal = signals[0].copy()
    signal[300:499, 0] = signal[300, 0]
    assert find_drift(contract, signal) == []  # a sample less than a window
    signal[499, 0] = signal[300, 0]
    (sentence,) = find_drift(contract, signal)
    assert sentence.startswith('ax stands still at ')
    assert 'for 4.0 s: the channel is stuck or its last value is repeated' in sentence


def test_where_units_are_unknown_sizes_and_ranges_are_left():
    recordings = BasicMotions().read_all().recordings
    contract = contract_of(BasicMotions(), [r for r in recordings if r.subject.startswith('train')], 100)
    tested = [r for r in recordings if r.subject.startswith('test')]
    assert [find_drift(contract, r.signal) for r in tested] == [[]] * 40  # standing still among them, and no gravity anywhere
    (sentence,) = find_drift(contract, changed([r.signal for r in tested], times(9.80665, 0, 1, 2)))
    assert 'acc_x, acc_y, acc_z: the acceleration has a size of ' in sentence
    assert 'times more, as in another unit' in sentence
    (sentence,) = find_drift(contract, changed([tested[15].signal], offset(0, 56)))
    assert sentence.startswith('acc_x: 69%')
    assert ' of the samples are far outside the range of training, -22.5 to 29.4; here ' in sentence


def test_a_sensor_that_rests_is_no_fault(contract, swing):
    still = np.tile([0.1, 0.95, -0.1, 0, 0, 0], (500, 1)) + 1e-3 * np.random.default_rng(0).normal(size=(500, 6))
    assert find_drift(contract, still) == []
    assert find_drift(contract, swing(8)) == []


def test_other_spellings_of_a_unit_and_none_where_axes_have_several(contract, swing):
    metres = dataclasses.replace(contract, units=('m/s^2',) * 3 + ('rad/s',) * 3)
    statistics = {name: [9.81 * v for v in values] for name, values in contract.statistics.items()}
    metres = dataclasses.replace(metres, statistics=statistics)
    assert find_drift(metres, 9.81 * swing(8)) == []
    (sentence, *_) = find_drift(metres, swing(8) * [1, 1, 1, 9.81, 9.81, 9.81])
    assert 'as in g, and the student has learned from m/s²: multiply by 9.81' in sentence
    mixed = dataclasses.replace(contract, units=('g', 'g', 'm/s²', 'rad/s', 'rad/s', 'rad/s'))
    assert all('gravity' not in sentence for sentence in find_drift(mixed, -swing(8)))


def test_other_people_with_a_phone_at_the_waist(recordings_of):
    recordings = HAPT(recordings_of('HAPT'), sensors=['acc']).read_all().recordings
    told = {}
    for subject in ('1', '3', '5', '26', '28', '30'):
        contract = contract_of(HAPT('.', sensors=['acc']), [r for r in recordings if r.subject != subject], 128)
        signals = [r.signal for r in recordings if r.subject == subject]
        told[subject] = find_drift(contract, signals)
        (sentence,) = find_drift(contract, changed(signals, exchanged(0, 2)))
        assert 'the device is worn another way, or axes are exchanged or mirrored' in sentence
    assert [subject for subject, sentences in told.items() if sentences] == ['28']  # who lies as nobody else does
    assert 'in 13% of the windows gravity points where training hardly knows it' in told['28'][0]
