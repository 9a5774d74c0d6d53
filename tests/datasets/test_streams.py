"""Streams: other sensors beside a signal, each at its own rate and on its own clock."""

import dataclasses
import pickle

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from worn_and_seen import LENGTH, SEEN, STEP, WINDOW, WORN, WornAndSeen, dataset, recording

from mmkd_plugin.datasets import Jitter, Recording, Recordings, Sensor, Stream, TimeWarp, audit, convert, open_store
from mmkd_plugin.datasets.inspection import format_inspection, inspect_recordings
from mmkd_plugin.datasets.streams import cover, cut_stream, find_gaps, samples_of
from mmkd_plugin.registry import DATASETS

CAMERA = Sensor(SEEN, 12.5)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('worn_and_seen')
    dataset(folder)
    return folder


@pytest.fixture(scope='module')
def train(folder):
    return DATASETS.build(dataset(folder))


@pytest.mark.parametrize('rate', [20.0, 31.25, 12.5, 3.7])
@pytest.mark.parametrize('offset', [0.0, 0.13, -2.2])
def test_a_window_of_a_stream_is_linear_between_its_samples(rate, offset):
    signal = np.random.default_rng(0).standard_normal((200, 2)).astype(np.float32)
    stream, sensor, count = Stream(signal, offset), Sensor(('a', 'b'), rate), samples_of(40, 20.0, Sensor(('a', 'b'), rate))
    assert count == max(1, round(2 * rate))
    times = offset + np.arange(200) / rate
    for start in (3, 17, 40):
        wanted = start / 20.0 + np.arange(count) / rate
        if times[0] <= wanted[0] and wanted[-1] <= times[-1]:
            peer = np.stack([np.interp(wanted, times, column) for column in signal.astype(float).T], 1)
            np.testing.assert_allclose(cut_stream(stream, sensor, start, 20.0, count), peer, atol=2e-5)


def test_a_stream_covers_the_windows_that_it_was_recorded_in():
    signal = np.ones((60, 1), dtype=np.float32)
    signal[20:23], signal[40] = np.nan, np.nan
    for offset in (0.0, 0.31, -0.5):
        stream, sensor, count = Stream(signal, offset), Sensor(('a',), 10.0), 8
        starts = np.arange(0, 130)
        first = (starts / 20.0 - offset) * 10
        expected = []
        for position in first:
            rows = np.arange(np.floor(round(position, 6)), np.ceil(round(position, 6)) + count)
            inside = rows[0] >= -1 and rows[-1] <= 60
            expected.append(bool(inside and not np.isnan(signal[rows.clip(0, 59).astype(int)]).any()))
        assert cover(stream, sensor, starts, 20.0, count).tolist() == expected
        for start in starts[np.array(expected)]:
            assert (cut_stream(stream, sensor, int(start), 20.0, count) == 1).all()


def test_gaps_are_found():
    signal = np.zeros((9, 2), dtype=np.float32)
    signal[[0, 4, 5, 8], [0, 1, 0, 1]] = np.nan
    assert find_gaps(signal).tolist() == [[0, 1], [4, 6], [8, 9]]
    assert find_gaps(np.zeros((3, 1), dtype=int)).shape == (0, 2)


def test_a_store_gives_back_every_stream(folder):
    reader = WornAndSeen(folder)
    read, stored = reader.read_all(), open_store(convert(reader, folder / 'stores'))
    assert stored.streams == reader.streams
    assert read.fingerprint() == stored.fingerprint()
    for ours, theirs in zip(read.recordings, stored.recordings):
        assert set(ours.streams) == set(theirs.streams) == (set() if ours.name == '1_2' else {'camera'})
        for name, stream in ours.streams.items():
            kept = theirs.streams[name]
            np.testing.assert_array_equal(stream.signal, kept.signal)
            assert (kept.offset, kept.gaps.tolist()) == (0.13, stream.gaps.tolist())
            for label, moments in stream.summary.moments.items():
                np.testing.assert_array_equal(moments.mean, kept.summary.moments[label].mean)
                assert moments.count == kept.summary.moments[label].count == (122 if label != 1 else 112)


def test_another_offset_is_other_data():
    one = recording(0, 0)
    moved = dataclasses.replace(one, streams={'camera': Stream(one.streams['camera'].signal, 0.2)})
    without = dataclasses.replace(one, streams={})
    prints = {Recordings((r,), WORN, ('still',), 20.0, streams={'camera': CAMERA}).fingerprint() for r in (one, moved, without)}
    assert len(prints) == 3


def test_windows_bring_their_streams_along(train):
    sample = train[0]
    assert {name: tuple(x.shape) for name, x in sample['inputs'].items()} == {'signal': (4, WINDOW), 'camera': (2, 25)}
    batch = default_collate([train[i] for i in range(3)])
    assert batch['inputs']['camera'].shape == (3, 2, 25)
    facts = train.metainfo['streams']['camera']
    assert (facts['channels'], facts['units'], facts['rate'], facts['window']) == (list(SEEN), ['mm', 'mm'], 12.5, 25)
    rows = [r.streams['camera'].signal for r in train.data.recordings if r.subject in '012' and r.streams]
    exact = np.concatenate(rows).astype(float)
    np.testing.assert_allclose(facts['statistics']['mean'], np.nanmean(exact, 0), rtol=1e-5)
    np.testing.assert_allclose(facts['statistics']['std'], np.nanstd(exact, 0), rtol=1e-5)
    stream = train.data.recordings[0].streams['camera']
    cut = cut_stream(stream, train.data.streams['camera'], 0, 20.0, 25)
    normal = (cut.T - np.array(facts['statistics']['mean'])[:, None]) / np.array(facts['statistics']['std'])[:, None]
    # The window begins 0.13 s before the camera, more than one of its frames.
    assert sample['data_samples'].get('missing') == ('camera',)
    assert not sample['inputs']['camera'].any()
    later = cut_stream(stream, train.data.streams['camera'], STEP, 20.0, 25).T
    assert normal.shape == later.shape
    np.testing.assert_allclose(
        train[1]['inputs']['camera'],
        (later - np.array(facts['statistics']['mean'])[:, None]) / np.array(facts['statistics']['std'])[:, None],
        atol=1e-5,
    )
    assert train[1]['data_samples'].get('missing') is None


def test_windows_bring_along_what_is_asked_for_alone(folder, train):
    own = DATASETS.build(dataset(folder))
    own.ask_streams([])
    assert torch.equal(own[1]['inputs'], train[1]['inputs']['signal'])
    assert own[0]['data_samples'].get('missing') == ('camera',)
    assert (own.metainfo, own.fingerprint()) == (train.metainfo, train.fingerprint())
    assert pickle.loads(pickle.dumps(own))[1]['inputs'].shape == (4, WINDOW)
    own.ask_streams(['camera'])
    assert all(torch.equal(own[1]['inputs'][name], x) for name, x in train[1]['inputs'].items())


def test_windows_without_a_required_stream_are_left_out(folder, train):
    windows = train.data_list
    lacking = int((~windows.present['camera']).sum())
    assert train.lacking == {'camera': lacking}
    # All nine windows of the recording without a camera, the first window of the others, and those within the lost frames.
    assert (windows.recording == 5).sum() == 9
    assert not windows.present['camera'][windows.recording == 5].any()
    required = DATASETS.build(dataset(folder, required=['camera']))
    assert len(required) == len(train) - lacking
    assert required.lacking == train.lacking
    assert required.data_list.present['camera'].all()
    assert required.fingerprint() != train.fingerprint()


def test_a_data_set_with_streams_can_be_sent_to_a_worker(train):
    sent = pickle.loads(pickle.dumps(train))
    np.testing.assert_array_equal(sent[1]['inputs']['camera'], train[1]['inputs']['camera'])


def test_time_is_changed_alike_and_values_apart(folder):
    """Of signals that tell their own time, a warp leaves both at the same time."""
    time, seen = np.arange(LENGTH) / 20, np.arange(125) / 12.5
    sample = dict(signal=time[:WINDOW][None].astype(np.float32), seed=(0, 0, 3))
    other = {**sample, 'signal': seen[:25][None].astype(np.float32), 'stream': 'camera', 'clock': (WINDOW, 20 / 12.5)}
    warped, followed = (TimeWarp(strength=0.5).transform(each)['signal'][0] for each in (sample, other))
    np.testing.assert_allclose(followed[:-1], np.interp(seen[:24], time[:WINDOW], warped), atol=1e-4)
    assert abs(warped - time[:WINDOW]).max() > 0.05
    noise, another = (Jitter(0.1).transform({**each, 'signal': np.zeros((1, 25))})['signal'] for each in (sample, other))
    assert not np.allclose(noise, another)


def test_a_stream_may_have_a_pipeline_of_its_own(folder, train):
    raw = DATASETS.build(dataset(folder, pipelines=dict(camera=[dict(type='PackWindows')])))
    stream = raw.data.recordings[0].streams['camera']
    np.testing.assert_allclose(
        raw[1]['inputs']['camera'], cut_stream(stream, raw.data.streams['camera'], STEP, 20.0, 25).T, rtol=1e-6
    )
    np.testing.assert_array_equal(raw[1]['inputs']['signal'], train[1]['inputs']['signal'])


def test_an_inspection_tells_how_streams_lie(train):
    text = format_inspection(inspect_recordings(train.data, 'worn', WINDOW, STEP))
    assert 'stream camera 2 channels (camera_hand, camera_hip) at 12.5 Hz in 17 of 18 recordings; begins +0.13 s' in text
    assert '6 gap(s), 4.8 s; 107 of 162 windows have the stream' in text


def test_a_stream_that_holds_the_label_is_refused(folder):
    splits = {split: DATASETS.build(dataset(folder, split)) for split in ('train', 'val', 'test')}
    assert audit(splits).counts() == {'train': 81, 'val': 27, 'test': 54}
    data = splits['train'].data
    told = []
    for r in data.recordings:
        signal = np.full((122, 2), r.label, dtype=np.float32)
        told.append(dataclasses.replace(r, streams={'camera': Stream(signal, 0.13)} if r.streams else {}))
    splits['train'].data_list = dataclasses.replace(splits['train'].data_list, recordings=tuple(told))
    with pytest.raises(
        ValueError, match="channel 'camera_hand' is the label: the channel is constant in every window of the tr"
    ):
        audit(splits)


BAD = {
    'name': (
        dict(streams={'Camera 1': CAMERA}),
        "a stream is named by small letters, digits and _, and not 'signal'; got 'Cam",
    ),
    'signal': (dict(streams={'signal': CAMERA}), "and not 'signal'; got 'signal'"),
    'unknown': (dict(streams={}), "recording '0_0', stream 'camera': the data set has the streams none"),
    'channels': (
        dict(streams={'camera': Sensor(('a',), 12.5)}),
        r"stream 'camera' has shape \(122, 2\), expected \(T, 1\) for a",
    ),
}


@pytest.mark.parametrize('kind', BAD)
def test_streams_that_do_not_fit_are_refused(kind):
    settings, message = BAD[kind]
    with pytest.raises(ValueError, match=message):
        Recordings((recording(0, 0),), WORN, ('still',), 20.0, **settings)


def test_values_that_are_not_finite_are_refused():
    one = recording(0, 0)
    signal = one.streams['camera'].signal.copy()
    signal[7, 1] = np.inf
    broken = Recording(one.signal, 0, '0', 'x', streams={'camera': Stream(signal)})
    with pytest.raises(
        ValueError, match="'x', stream 'camera', channel 'camera_hip' has inf at sample 7; rows of NaN stand for"
    ):
        Recordings((broken,), WORN, ('still',), 20.0, streams={'camera': CAMERA})
    for wrong in (np.zeros(3), np.zeros((0, 2)), np.array([['a']])):
        with pytest.raises(ValueError, match=r'a stream has samples \(T, C\) of numbers and an offset in seconds; got'):
            Stream(wrong)
    for wrong in (dict(rate=0), dict(channels=()), dict(units=('g',))):
        with pytest.raises(ValueError, match='a stream has a rate above 0, channels, and a unit for each or none; got'):
            Sensor(**{'channels': ('a', 'b'), 'rate': 1.0, **wrong})


def test_streams_that_a_config_names_must_be_there(folder):
    for key, value in (('required', ['kamera']), ('pipelines', dict(kamera=[]))):
        with pytest.raises(ValueError, match=f"{key} names the stream 'kamera'; the data have camera"):
            DATASETS.build(dataset(folder, **{key: value}))
    alone = dataset(folder, subjects=dict(train=['1'], val=['2'], test=['3']), normal=['fast'])
    with pytest.raises(ValueError, match="no training subject has the stream 'camera'"):
        DATASETS.build(alone)
