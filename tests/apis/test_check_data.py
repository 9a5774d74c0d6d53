"""What is wrong with a config's data is refused before anything is trained, in a sentence that says what to use."""

import numpy as np
import pytest
from helpers import tiny_config
from writers.arrays import write_recordings

from mmkd_plugin.apis import check_config
from mmkd_plugin.apis.data import inspect_config
from mmkd_plugin.apis.plan import describe_run
from mmkd_plugin.datasets import Recording
from mmkd_plugin.datasets.inspection import format_inspection
from mmkd_plugin.fileio import ConfigError

NORMAL, PACK = dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')
MINMAX = dict(type='NormalizeSignal', method='minmax')
NOISE = dict(type='Jitter', sigma=0.1)


@pytest.fixture
def cfg(tmp_path, teacher_dir):
    return tiny_config('supervised/student.py', tmp_path / 'run', teacher_dir)


def fault_of(cfg):
    with pytest.raises(ConfigError) as error:
        check_config(cfg)
    return str(error.value)


WRAPPERS = {
    'RepeatDataset': (dict(times=2), 'train for more epochs: train_cfg.max_epochs'),
    'ClassBalancedDataset': (dict(oversample_thr=0.5), 'WindowDataset(oversample=...) repeats the windows of rare classes'),
    'KFoldDataset': (dict(num_splits=4), "its folds share subjects; use subjects=dict(type='GroupedKFold', k=5, fold=0)"),
    'ConcatDataset': (None, 'one reader gives the recordings of all: a folder of tables, or save_recordings'),
}


@pytest.mark.parametrize('name', WRAPPERS)
@pytest.mark.parametrize('split', ['train', 'test'])
def test_wrappers_of_the_host_are_refused_with_what_to_use(name, split, cfg):
    options, use = WRAPPERS[name]
    inner = cfg[f'{split}_dataloader'].dataset
    below = dict(datasets=[inner, inner]) if options is None else dict(dataset=inner, **options)
    cfg[f'{split}_dataloader'].dataset = dict(type=name, **below)
    assert fault_of(cfg).startswith(f'{split}_dataloader.dataset: {name} cannot be used; {use}')
    if split == 'train':
        with pytest.raises(ValueError, match=f'train_dataloader.dataset: {name} cannot be used'):
            inspect_config(cfg)


def test_another_data_set_of_the_host_is_refused_before_it_downloads_anything(cfg, tmp_path):
    cfg.train_dataloader.dataset = dict(type='CIFAR10', data_root=str(tmp_path / 'cifar'), split='train')
    assert 'CIFAR10 cannot be used; expected WindowDataset(reader=dict(...)), whose windows are audited' in fault_of(cfg)
    assert not (tmp_path / 'cifar').exists()


PIPELINES = {
    'normalised in training alone': (
        dict(val=[PACK], test=[PACK]),
        "val_dataloader.dataset.pipeline normalises by nothing, that of train_dataloader by NormalizeSignal(method='zscore'); "
        'expected the same',
    ),
    'normalised in another way': (
        dict(test=[MINMAX, PACK]),
        "test_dataloader.dataset.pipeline normalises by NormalizeSignal(method='minmax'), that of train_dataloader by",
    ),
    'normalised twice': (
        dict(train=[NORMAL, NORMAL, PACK]),
        "train_dataloader.dataset.pipeline normalises 2 times: NormalizeSignal(method='zscore'), NormalizeSignal(",
    ),
    'augmented in validation': (
        dict(val=[NORMAL, NOISE, PACK]),
        'val_dataloader.dataset.pipeline has Jitter: random augmentation belongs in the training pipeline alone',
    ),
    'augmented in the test, inside of another transform': (
        dict(test=[NORMAL, dict(type='RandomApply', transforms=[NOISE]), PACK]),
        'test_dataloader.dataset.pipeline has RandomApply, Jitter: random augmentation',
    ),
}


@pytest.mark.parametrize('case', PIPELINES)
def test_pipelines_that_measure_something_else_than_was_learned_are_refused(case, cfg):
    changes, fault = PIPELINES[case]
    for split, pipeline in changes.items():
        cfg[f'{split}_dataloader'].dataset.pipeline = pipeline
    assert fault in fault_of(cfg)


def test_augmentation_in_training_and_no_normaliser_at_all_are_good(cfg):
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.pipeline = [NOISE, PACK] if split == 'train' else [PACK]
    check_config(cfg)


@pytest.fixture
def lacking(cfg, tmp_path):
    """Three people; the first, who trains, never runs, and the last, who is tested, never rests."""
    recordings = []
    for subject, labels in zip('abc', ((0, 1), (0, 1, 2), (1, 2, 2))):
        for number, label in enumerate(labels):
            signal = np.random.default_rng([number, ord(subject)]).normal(size=(400, 6)).astype(np.float32)
            recordings.append(Recording(signal, label, subject, f'{subject}{number}'))
    options = write_recordings(tmp_path / 'mine.npz', recordings, 'uvwxyz', ('rest', 'walk', 'run'))
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.update(options, subjects=dict(train=['a'], val=['b'], test=['c']))
    cfg.data_preprocessor.num_classes = 3
    return cfg


TABLE = ['windows of     train       val      test', 'rest               4         4         0']
TABLE += ['walk               4         4         4', 'run                0         4         8']
UNLEARNED = 'no training subject has a window of run: 33.3% of the validation windows and 66.7% of the test windows cannot be recognised'


def test_classes_that_a_split_lacks_are_in_the_plan_and_in_the_inspection(lacking):
    manifest = check_config(lacking)
    lines = describe_run(lacking, manifest)
    sizes = (('train', 8, '0 to 4'), ('val', 12, '4'), ('test', 12, '0 to 8'))
    parts = [f'{split} {count} windows of 1 subject(s) ({each} per class)' for split, count, each in sizes]
    assert lines[0] == f'data basic_motions: {", ".join(parts)}'
    assert lines[1:5] == TABLE
    text = format_inspection(inspect_config(lacking)).splitlines()
    assert text[-6:] == [
        *TABLE,
        f'warning: {UNLEARNED}',
        'warning: test has no window of rest: accuracy and macro-F1 are over the others',
    ]


def test_one_line_is_enough_where_all_is_well(cfg):
    lines = describe_run(cfg, check_config(cfg))
    assert lines[:2] == [
        'data basic_motions: train 32 windows (8 per class), val 8 windows (2 per class), test 40 windows (10 per class)',
        'learns: student (reads sig)',
    ]


def test_an_inspection_shows_splits_that_share_windows_and_goes_on(cfg, tmp_path):
    signal = np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)
    recordings = [Recording(signal, label, subject, f'{subject}{label}') for subject in 'abc' for label in (0, 1)]
    options = write_recordings(tmp_path / 'mine.npz', recordings, 'uvwxyz', ('rest', 'walk'))
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.update(options, subjects=dict(train=['a'], val=['b'], test=['c']))
    lines = format_inspection(inspect_config(cfg)).splitlines()
    assert lines[-1].startswith(
        'no run can use these splits: 4 window(s) are in both the train and the val split, sample for sample'
    )
    assert [line for line in lines if line.split() == ['all', '12', '12', '24']], lines
