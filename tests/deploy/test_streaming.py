"""Streams: the same decisions as on the whole recording, in whatever pieces it comes; held classes, and bounded memory."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from helpers import CONFIGS, write_student

from mmkd_plugin.apis import load_config
from mmkd_plugin.apis.predict import build_loader
from mmkd_plugin.datasets import HAPT, WISDM2019, BasicMotions
from mmkd_plugin.deploy import Contract, SignalInferencer, StreamingInferencer
from mmkd_plugin.deploy.decisions import Decision
from mmkd_plugin.deploy.holding import Hold

NAMES = 'acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z'


@pytest.fixture(scope='module')
def offline(student_file):
    return SignalInferencer(student_file, device='cpu')


@pytest.fixture(scope='module')
def stream(offline):
    return lambda **options: StreamingInferencer(offline.model, **{'name': 'input 0', **options})


def pieces(count, size, seed=0):
    """Slices of pieces of one size, or of random ones up to 10,000 samples."""
    rng, begin = np.random.default_rng(seed), 0
    while begin < count:
        end = begin + (size or int(rng.choice([0, 1, 7, 100, 2000, 10_000])))
        yield slice(begin, end)
        begin = end


def feed(stream, samples, times=None, size=None):
    rows = []
    for piece in pieces(len(samples), size):
        rows += stream.push(samples[piece], None if times is None else times[piece])
    return rows + stream.end()


@pytest.mark.parametrize(
    'options',
    [{}, {'hop': 7}, {'hop': 130}, {'vote': 'mean'}, {'rate': 100.0}, {'rate': 64.0, 'vote': 'mean'}, {'rate': 20.0}],
    ids=str,
)
def test_decisions_are_those_on_the_whole_recording(options, offline, stream, swing):
    samples = swing(12, rate=options.get('rate', 50))
    expected = offline(samples, batch_size=1, **options)
    assert len(expected) >= 4
    for size in (1, 10_000, None):
        assert feed(stream(**options), samples, size=size) == expected
    together = offline(samples, **options)
    assert max(abs(a['probability'] - b['probability']) for a, b in zip(together, expected)) < 1e-6


def write_table(path, times, samples):
    table = np.column_stack([times, samples.astype(np.float64)])
    np.savetxt(path, table, delimiter=',', header=f'time,{NAMES}', comments='', fmt='%.9g')
    return path


def spans(rows):
    """What a stream and a table have in common: recordings are named by number or by line."""
    return [{key: value for key, value in row.items() if key not in ('source', 'recording')} for row in rows]


@pytest.mark.parametrize(('seed', 'drift', 'digits'), [(0, 1.0, 9), (1, 1.03, 3), (2, 0.97, 4)])
def test_gaps_and_repeated_samples_are_those_of_a_table(seed, drift, digits, offline, stream, swing, tmp_path):
    rng = np.random.default_rng(seed)
    samples = swing(60)
    times = np.arange(len(samples)) / 50 * drift
    for row, lost in ((300, 1), (900, 4), (1700, 150), (2300, 5000)):
        times[row:] += lost * drift / 50
    late = rng.integers(350, 850, 8)  # not at a gap
    times[late] += 0.012
    repeats = np.ones(len(samples), dtype=int)
    repeats[rng.integers(0, len(samples), 12)] = 3
    times, samples = np.round(np.repeat(times, repeats), digits), np.repeat(samples, repeats, axis=0)
    path = write_table(tmp_path / 'a.csv', times, samples)
    expected = offline(path, batch_size=1)
    live = stream()
    for size in (1 if seed == 0 else 33, None):
        live = stream()
        rows = feed(live, samples, times, size)
        assert spans(rows) == spans(expected)
        assert (live.gaps, live.repeated) == (4, (repeats - 1).sum())
    assert sorted({row['recording'] for row in rows}) == ['', '1', '2', '3', '4']


def test_a_gap_may_be_allowed_and_time_begins_where_the_stream_does(stream, swing):
    samples, times = swing(4), 1.7e9 + np.arange(200) / 50
    times[100:] += 0.04  # two samples
    assert [row['start'] for row in feed(stream(), samples, times)] == [0, 0.5, 1, 2.04, 2.54, 3.04]
    assert [row['start'] for row in feed(stream(gap=2), samples, times)] == [0, 0.5, 1, 1.5, 2, 2.5, 3]


def same_as_offline(contract, recording, path, rate=None):
    """Whether a stream of a recording, in random pieces, equals the inferencer; as many windows as there are."""
    offline = SignalInferencer(write_student(path, contract), device='cpu')
    expected = offline(recording, batch_size=1, rate=rate)
    assert len(expected) > 10
    stream = StreamingInferencer(offline.model, rate=rate, name='input 0')
    return all(feed(stream, recording, size=size) == expected for size in (97, None))


def contract_of(reader, signal, window):
    signal = signal.astype(np.float64)
    statistics = {name: getattr(signal, name)(0).tolist() for name in ('mean', 'std', 'min', 'max')}
    channels, rate = tuple(reader.channels), float(reader.rate)
    return Contract(
        classes=('a', 'b'), channels=channels, rate=rate, window=window, hop=window // 2, statistics=statistics, subjects=('x',)
    )


def test_basic_motions(tmp_path):
    signal = np.concatenate([r.signal for r in BasicMotions().read('train').recordings])
    assert same_as_offline(contract_of(BasicMotions(), signal, 100), signal, tmp_path / 'student_best.pth')


@pytest.mark.parametrize(('reader', 'rate'), [(HAPT, 50.0), (HAPT, 64.0), (WISDM2019, 20.0)])
def test_phones(reader, rate, recordings_of, tmp_path):
    source = reader(recordings_of(reader.__name__), **({'sensors': ('acc',)} if reader is HAPT else {}))
    recording = max(source.read(source.parts()[0]).recordings, key=lambda r: len(r.signal)).signal[:4000]
    assert same_as_offline(contract_of(source, recording, 100), recording, tmp_path / 'student_best.pth', rate)


def test_the_watch(tmp_path, store_dir):
    cfg = load_config(CONFIGS / 'supervised/student.py', str(tmp_path))
    cfg.test_dataloader.dataset.store = str(store_dir)
    dataset = build_loader(cfg, 'test').dataset
    tested = np.concatenate([r.signal for r in dataset.data.recordings if r.subject in dataset.subjects['test']][:5])
    contract = dataclasses.replace(Contract.from_dataset(dataset, cfg, 'sig'), hop=100)
    assert same_as_offline(contract, tested, tmp_path / 'student_best.pth')


def decide(classes, probability=0.9):
    return [Decision('', '', i, i + 1, np.roll([probability, *[(1 - probability) / 2] * 2], c)) for i, c in enumerate(classes)]


def test_classes_are_held():
    def held(decisions, **options):
        hold = Hold(**options)
        return [hold.choose(decision) for decision in decisions]

    course = [0, 1, 0, 1, 1, 2, 2, 2, 0]
    assert held(decide(course)) == course
    assert held(decide(course), count=2) == [0, 0, 0, 0, 1, 1, 2, 2, 2]
    assert held(decide(course), count=3) == [0, 0, 0, 0, 0, 0, 0, 2, 2]
    assert held(decide(course), threshold=0.95) == [0] * 9
    assert held(decide(course), minimum=3) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_held_class_is_written_with_its_own_probability(stream, offline, swing):
    rows, free = feed(stream(threshold=1.0), swing(4)), offline(swing(4), batch_size=1)
    assert {row['class'] for row in rows} == {free[0]['class']}
    assert [row['probabilities'] for row in rows] == [row['probabilities'] for row in free]
    assert all(row['probability'] == row['probabilities'][row['class']] for row in rows)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(hop=0), 'hop must be a whole number, at least 1, got 0'),
        (dict(hold=0), 'hold must be a whole number, at least 1, got 0'),
        (dict(threshold=1.5), 'threshold must be a number from 0 to 1, got 1.5'),
        (dict(minimum=-1), 'minimum must be a number of at least 0, got -1'),
        (dict(gap=-1), 'gap must be a whole number, at least 0, got -1'),
        (dict(vote='max'), "vote must be 'mean' or None, got 'max'"),
        (dict(clock=0), 'clock must be a number above 0, got 0'),
        (dict(rate=5e7), r'input 0 is at 5e\+07 Hz, and the student reads 50 Hz: is the rate in Hz\?'),
    ],
)
def test_options_out_of_range_are_refused(options, message, stream):
    with pytest.raises(ValueError, match=f'^{message}$'):
        stream(**options)


def test_samples_and_times_that_fit_nothing_are_refused_and_leave_the_stream_as_it_was(stream, offline, swing):
    samples, times = swing(4), np.arange(200) / 50
    live = stream()
    rows = live.push(samples[:70], times[:70])
    lost = samples[70:90].copy()
    lost[3, 1] = np.nan
    for bad, stamps, message in (
        (samples[70:90, :5], times[70:90], r'input 0: the signal has shape \(20, 5\), expected \(T, 6\)'),
        (lost, times[70:90], 'input 0: 1 value.* are NaN or infinite, the first in acc_y at sample 3'),
        (samples[70:90], None, 'input 0: time stamps must come with all samples of a recording or with none'),
        (samples[70:90], times[70:80], 'input 0: times must be seconds, one for each of the 20 samples'),
        (samples[70:90], times[70:90] * np.nan, 'input 0: times must be seconds, .* none of them NaN'),
        (samples[70:90], times[:20], r'input 0:71: time goes back by 1.38 s, .* begin\(\) starts another recording'),
    ):
        with pytest.raises(ValueError, match=message):
            live.push(bad, stamps)
    rows += live.push(samples[70:], times[70:]) + live.push(np.empty((0, 6))) + live.end()
    assert rows == offline(samples, batch_size=1)
    assert feed(live, samples, times) == rows  # after the end, another recording


def test_clocks_that_stand_still_or_run_at_another_rate_are_refused(stream, swing):
    samples = swing(40)
    with pytest.raises(ValueError, match='input 0:1: time steps by 0.01 s, 100 Hz, expected 0.02 s by the rate of 50 Hz'):
        feed(stream(), samples, np.arange(2000) / 100)
    with pytest.raises(ValueError, match='input 0:101: time stands still for more than 500 samples'):
        feed(stream(), samples, np.minimum(np.arange(2000), 100) / 50)
    wrong = np.arange(2000) / 50
    wrong[101:] -= 0.02
    with pytest.raises(ValueError, match='input 0:102: time repeats that of the row before, with other values'):
        feed(stream(), samples, wrong)


def test_memory_is_flat(stream, swing):
    live, samples = stream(hop=2500, rate=100.0, vote='mean'), swing(50)
    tracemalloc.start()
    try:
        held = []
        for minute in range(12):
            for begin in range(0, 2500, 500):
                live.push(samples[begin : begin + 500], (minute * 2500 + begin + np.arange(500)) / 100)
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert max(held[6:]) < 1.05 * max(held[:6])
