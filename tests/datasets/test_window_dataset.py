import logging

import numpy as np
import pytest
import torch
from mmengine.dataset import ClassBalancedDataset
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from writers.arrays import write_recordings

from mmkd_plugin.datasets import NormalizeSignal, PackWindows, Recording, WindowDataset, resolve_subjects

PIPELINE = [dict(type='mmkd_plugin.NormalizeSignal'), dict(type='mmkd_plugin.PackWindows')]
WATCH = dict(type='mmkd_plugin.SeglearnWatch')
SUBJECTS = dict(train=['a', 'b'], val=['c'], test=['d'])


LENGTHS = dict(a=25, b=20, c=22, d=30)  # samples of the one recording of each subject


@pytest.fixture
def tiny(tmp_path):
    """Give a data set of four subjects; values tell where they come from, and ``offset`` is added to a subject's."""

    def build(split='train', subjects=SUBJECTS, window=10, step=5, offset=None, **more):
        signals = {s: np.arange(2 * n).reshape(n, 2) + (offset or {}).get(s, 0) for s, n in LENGTHS.items()}
        recordings = [Recording(x.astype(np.float32), i % 2, s, f'rec_{s}') for i, (s, x) in enumerate(signals.items())]
        file = tmp_path / f'{offset}.npz'
        options = write_recordings(file, recordings, classes=('rest', 'walk'))
        return WindowDataset(
            split=split, subjects=subjects, window=window, step=step, **{'pipeline': PIPELINE, **options, **more}
        )

    return build


def test_windows_by_hand(tiny):
    dataset = tiny(pipeline=[])
    ids = [dataset.get_data_info(i)['window_id'] for i in range(len(dataset))]
    assert ids == ['rec_a:0', 'rec_a:5', 'rec_a:10', 'rec_a:15', 'rec_b:0', 'rec_b:5', 'rec_b:10']
    second = dataset.get_data_info(1)
    assert second['signal'].tolist() == [list(range(10, 30, 2)), list(range(11, 31, 2))]
    assert (second['gt_label'], second['subject'], second['start']) == (0, 'a', 5)


def test_statistics_are_those_of_the_training_subjects_whatever_the_split(tiny):
    samples = np.concatenate([np.arange(2 * n).reshape(n, 2) for n in (25, 20)])
    for split in ('train', 'val', 'test'):
        fitted = tiny(split).statistics
        np.testing.assert_allclose(fitted['mean'], samples.mean(0))
        np.testing.assert_allclose(fitted['std'], samples.std(0), rtol=1e-6)
        np.testing.assert_allclose(fitted['max'], samples.max(0))
    np.testing.assert_allclose(tiny('test', offset=dict(c=-1000, d=1000)).statistics['mean'], samples.mean(0))
    assert (tiny('test', offset=dict(a=1000)).statistics['mean'] > samples.mean(0)).all()


def test_the_mean_of_the_deviations_within_windows(tiny):
    # The windows of a and b, who train: 4 and 3 of 10 samples of a ramp of slope 2, from 0, 10, 20 and 30 on.
    pipeline = [dict(type='mmkd_plugin.NormalizeSignal', method='window_zscore'), PIPELINE[1]]
    starts = [0, 10, 20, 30, 0, 10, 20]
    for split in ('train', 'val', 'test'):
        dataset = tiny(split, pipeline=pipeline)
        fitted = dataset.statistics
        np.testing.assert_allclose(fitted['window_std'], [2 * np.sqrt((10**2 - 1) / 12)] * 2, rtol=1e-6)
        np.testing.assert_allclose(fitted['window_mean'], [np.mean(starts) + 9, np.mean(starts) + 10])
        assert dataset.metainfo['statistics']['window_std'] == pytest.approx(fitted['window_std'].tolist())
    first = tiny('train', pipeline=pipeline)[0]['inputs'].numpy()
    expected = (np.arange(20).reshape(10, 2).T - fitted['window_mean'][:, None]) / fitted['window_std'][:, None]
    np.testing.assert_allclose(first, expected, rtol=1e-5)
    assert 'window_std' not in tiny().statistics  # nobody asks, and no window is read


def test_zscore_minmax_and_a_constant_channel():
    x = np.array([[1.0, 3.0], [5.0, 5.0]], np.float32)
    fitted = dict(mean=[2, 5], std=[0.5, 0], min=[1, 5], max=[3, 5])
    sample = dict(signal=x, statistics={k: np.array(v, np.float32) for k, v in fitted.items()})
    assert NormalizeSignal('zscore').transform(sample)['signal'].tolist() == [[-2, 2], [0, 0]]
    assert NormalizeSignal('minmax').transform(sample)['signal'].tolist() == [[0, 1], [0, 0]]
    assert sample['signal'] is x


def test_training_windows_of_the_watch_have_mean_zero_and_deviation_one():
    subjects = dict(train=['1', '2', '3', '4', '5', '6'], val=['7', '8'], test=['9', '10'])
    dataset = WindowDataset(WATCH, 'train', subjects, 100, 100, PIPELINE)
    signal = torch.stack([dataset[i]['inputs'] for i in range(len(dataset))])
    torch.testing.assert_close(signal.mean((0, 2)), torch.zeros(6), atol=0.05, rtol=0)
    torch.testing.assert_close(signal.transpose(0, 1).flatten(1).std(1), torch.ones(6), atol=0.05, rtol=0)


def test_no_window_of_one_subject_in_two_splits():
    subjects = dict(train=['1', '2', '3', '4', '5', '6'], val=['7', '8'], test=['9', '10'])
    seen = {s: {i['subject'] for i in WindowDataset(WATCH, s, subjects, 200, 100).load_data_list()} for s in subjects}
    assert {s: sorted(v) for s, v in seen.items()} == {s: sorted(v) for s, v in subjects.items()}


def test_what_a_checkpoint_keeps_is_plain(tmp_path, tiny):
    torch.save(tiny().metainfo, tmp_path / 'meta.pth')
    meta = torch.load(tmp_path / 'meta.pth', weights_only=True)
    assert meta['classes'] == ['rest', 'walk']
    assert meta['subjects'] == {'train': ['a', 'b'], 'val': ['c'], 'test': ['d']}
    assert meta['statistics']['mean'] == pytest.approx(tiny().statistics['mean'].tolist())


def test_the_fingerprint_is_of_all_that_a_run_sees(tiny):
    base = tiny().fingerprint()
    assert tiny('test').fingerprint() == base
    moved = dict(train=['a'], val=['b', 'c'], test=['d'])
    others = {tiny(window=11).fingerprint(), tiny(step=4).fingerprint(), tiny(subjects=moved).fingerprint()}
    others.add(tiny(offset=dict(d=1)).fingerprint())
    assert len(others | {base}) == 5


def test_the_runner_s_loader_gives_batches(tiny):
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        loader = Runner.build_dataloader(
            dict(
                batch_size=3,
                dataset=tiny(),
                sampler=dict(type='DefaultSampler', shuffle=True),
                collate_fn=dict(type='default_collate'),
            ),
            seed=0,
        )
        batches = list(loader)
    assert [tuple(b['inputs'].shape) for b in batches] == [(3, 2, 10), (3, 2, 10), (1, 2, 10)]
    sample = batches[0]['data_samples'][0]
    assert sample.gt_label.item() in (0, 1)
    assert sample.window_id == f'{sample.recording}:{sample.start}'


def test_windows_of_rare_classes_are_repeated_as_the_host_does(tiny):
    plain, more = tiny(pipeline=[]), tiny(pipeline=[], oversample=0.5)
    ids = [more.get_data_info(i)['window_id'] for i in range(len(more))]
    assert ids == ['rec_a:0', 'rec_a:5', 'rec_a:10', 'rec_a:15', *(f'rec_b:{i}' for i in (0, 0, 5, 5, 10, 10))]
    assert [more.get_data_info(i)['sample_idx'] for i in range(len(more))] == list(range(10))  # each draws for itself
    plain.get_cat_ids = lambda index: [plain.get_data_info(index)['gt_label']]
    for share in (0.1, 0.5, 0.7, 1.0):
        host = ClassBalancedDataset(plain, oversample_thr=share)
        expected = [plain.get_data_info(index)['window_id'] for index in host.repeat_indices]
        repeated = tiny(pipeline=[], oversample=share)
        assert [repeated.get_data_info(i)['window_id'] for i in range(len(repeated))] == expected
    assert more.fingerprint() != plain.fingerprint()
    assert len(tiny('val', oversample=1.0)) == len(tiny('val'))


def test_short_recordings_give_no_window_and_are_named(tiny):
    sentence = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: sentence.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    try:
        windows = tiny(window=22).load_data_list()
    finally:
        logger.removeHandler(handler)
    assert {window['recording'] for window in windows} == {'rec_a'}
    assert sentence[0] == '1 recording(s) of the train split are shorter than a window of 22 samples and are left out: rec_b'


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(split='dev'), "split must be one of train, val, test, got 'dev'"),
        (dict(oversample=0), 'oversample must be a share of the training windows, above 0 and up to 1; got 0'),
        (dict(oversample=1.5), 'above 0 and up to 1; got 1.5'),
        (dict(window=0), 'at least 1; got window=0 and step=5'),
        (dict(window=26), 'the train split is empty: no recording is as long as a window, 26 samples'),
        (dict(subjects=dict(train=['a'], val=['b'])), 'subjects must have the keys train, val, test, got train, val'),
        (dict(subjects=dict(SUBJECTS, val=[])), 'the val split is empty: it names no subject'),
        (dict(subjects=dict(SUBJECTS, val=['e'])), "val split: there is no subject 'e'; the data have a, b, c, d"),
        (dict(subjects=dict(SUBJECTS, test=['a'])), r'subject\(s\) a are in both the train and the test split'),
        (dict(subjects=dict(SUBJECTS, test=['*'])), r'subject\(s\) a, b are in both the train and the test split'),
    ],
)
def test_messages(changes, message, tiny):
    with pytest.raises(ValueError, match=message):
        tiny(**changes).full_init()


def test_patterns_are_written_out():
    result = resolve_subjects(dict(train=['s[12]'], val=['s3'], test=['t*']), ['s1', 's2', 's3', 't1', 't2'])
    assert result == dict(train=('s1', 's2'), val=('s3',), test=('t1', 't2'))


def test_a_transform_says_what_it_misses():
    with pytest.raises(KeyError, match='PackWindows misses gt_label, window_id'):
        PackWindows().transform(dict(signal=0, subject=0, recording=0, start=0))
    with pytest.raises(KeyError, match='NormalizeSignal needs the statistics'):
        NormalizeSignal().transform(dict(signal=0))
    with pytest.raises(ValueError, match="method must be 'zscore', 'minmax' or 'window_zscore', got 'robust'"):
        NormalizeSignal('robust')


def test_a_data_set_needs_a_reader_that_exists(tiny):
    with pytest.raises(KeyError, match='Nobody is not in the'):
        tiny(reader=dict(type='Nobody'))


def test_normal_classes_are_learned_and_the_others_are_anomalies_of_the_test(tiny):
    everyone = dict(train=['a', 'b'], val=['c'], test=['d'])  # labels: a 0, b 1, c 0, d 1
    train = tiny('train', everyone, normal=['rest'])
    assert train.metainfo['classes'] == ['rest']
    assert {info['recording'] for info in train.data_list} == {'rec_a'}
    assert {info['gt_label'] for info in train.data_list} == {0}
    # Statistics are those of what is learned, not of the anomalies.
    torch.testing.assert_close(torch.tensor(train.statistics['mean']), torch.tensor([24.0, 25.0]))
    with pytest.raises(ValueError, match='the test split is empty'):
        tiny('test', everyone, normal=['rest'])
    test = tiny('test', everyone, normal=['rest'], anomalies=True)
    assert {(info['gt_label'], info['anomaly']) for info in test.data_list} == {(-1, 1)}
    assert test[0]['data_samples'].anomaly == 1
    second = tiny('test', everyone, normal=['walk'])
    assert {(info['gt_label'], info['anomaly']) for info in second.data_list} == {(0, 0)}
    assert len({tiny(normal=n).fingerprint() for n in (None, ['rest'], ['walk'])}) == 3


@pytest.mark.parametrize('normal', [['run'], [], ['rest', 'walk']])
def test_normal_classes_must_be_some_of_the_classes(normal, tiny):
    with pytest.raises(ValueError, match=r'normal must name some of the classes rest, walk.*got normal='):
        tiny(normal=normal)


def test_anomalies_need_normal_classes(tiny):
    with pytest.raises(ValueError, match='got normal=None and anomalies=True'):
        tiny(anomalies=True)


def test_every_sample_knows_its_place(tiny):
    dataset = tiny()
    assert [dataset[i]['data_samples'].sample_idx for i in range(len(dataset))] == list(range(len(dataset)))
