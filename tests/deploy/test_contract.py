"""Contracts in checkpoints, held against data that differ in one respect each."""

import copy
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import CONFIGS, call

from mmkd_plugin.apis import check_config, evaluate_checkpoint, find_network, load_config, predict, train
from mmkd_plugin.apis.robustness import choose_corruptions, evaluate_corruptions
from mmkd_plugin.apis.teachers import prepare_teachers, teacher_run_config
from mmkd_plugin.datasets import save_recordings
from mmkd_plugin.deploy import Contract
from mmkd_plugin.fileio import load_checkpoint
from mmkd_plugin.registry import TASK_UTILS

CLASSES, CHANNELS = ['rest', 'walk', 'run'], ['a', 'b']
BASES = [
    '_base_/networks/wrn16_1_student.py',
    '_base_/transfers/kd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
    '_base_/datasets/loaders.py',
]
LEAF = """
_base_ = {bases}
windows = dict(
    type='WindowDataset', reader=dict(type='ArrayRecordings', root={root!r}), window={window}, step=32, units={units},
    subjects=dict(type='LeaveOneSubjectOut', fold=0), pipeline={normalizer} + [dict(type='PackWindows')], store={store!r})
train_dataloader = dict(batch_size=16, dataset=dict(split='train', **windows))
val_dataloader = dict(dataset=dict(split='val', **windows))
test_dataloader = dict(dataset=dict(split='test', **windows))
data_preprocessor = dict(type='ViewPreprocessor', shape=(2, {window}), num_classes=3, views=dict(
    gaf=dict(type='GramianAngularField', image_size=16), difference=dict(type='GramianAngularField', image_size=16, method='difference')))
train_cfg = dict(max_epochs=1)
"""
EXPORTED = dict(network=None, weights='', figures={})  # what an exported student's contract has beside
ZSCORE = [dict(type='NormalizeSignal', method='zscore')]


def write_leaf(
    folder, name='plain', classes=CLASSES, order=(0, 1), rate=50, window=64, normalizer=ZSCORE, factor=1, units=('g', 'g')
):
    """Write recordings of five subjects, and a config that reads them."""
    rng, signals, labels, subjects = np.random.default_rng(0), [], [], []
    for subject in range(5):
        for index, label in enumerate(CLASSES):
            t = np.arange(128) / 64
            signal = np.stack([np.sin(2 * np.pi * (1 + 3 * index) * t), np.full(128, 0.3 * index)], 1)
            signals.append((factor * (signal + 0.2 * rng.normal(size=(128, 2))))[:, list(order)].astype(np.float32))
            labels.append(label)
            subjects.append(f's{subject}')
    root = folder / f'{name}.npz'
    channels = [CHANNELS[index] for index in order]
    save_recordings(root, signals, labels, subjects, channels=channels, classes=classes, rate=rate)
    leaf, bases = folder / f'{name}.py', [str(CONFIGS / base) for base in BASES]
    leaf.write_text(
        LEAF.format(
            bases=bases, root=str(root), window=window, units=units, normalizer=normalizer, store=str(folder / 'stores')
        )
    )
    return leaf


def config(leaf, work_dir, **more):
    return load_config(leaf, str(work_dir), **more)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A folder with a config, and the student that is trained by it."""
    folder = tmp_path_factory.mktemp('contract')
    result = train(config(write_leaf(folder), folder / 'run'))
    return folder, find_network(result)['checkpoint']


def contract_of(path):
    return Contract.from_meta(load_checkpoint(path)['meta'])


def test_every_checkpoint_of_a_run_has_the_contract_in_plain_values(trained):
    folder, best = trained
    paths = [Path(best), folder / 'run' / 'student_last.pth', *(folder / 'run').glob('*epoch_1.pth')]
    assert len(paths) == 4
    for path in paths:
        contract = contract_of(path)
        assert (contract.classes, contract.channels, contract.units) == (tuple(CLASSES), tuple(CHANNELS), ('g', 'g'))
        assert (contract.rate, contract.window, contract.hop, contract.view) == (50, 64, 32, {})
        assert contract.normalizer == (dict(type='NormalizeSignal', method='zscore', low=None, high=None),)
        assert contract.subjects == ('s2', 's3', 's4')
        assert len(contract.data) == len(contract.config) == 64
        assert dataclasses.replace(contract, **EXPORTED) == dataclasses.replace(contract_of(best), **EXPORTED)
        meta = torch.load(path, weights_only=True)['meta']  # without the types that the host's logs need, for an export
        assert contract.to_meta() == meta['contract']


OTHERS = {
    'classes': (
        dict(classes=['run', 'rest', 'walk']),
        'the classes rest, walk, run, and the data have run, rest, walk, the same',
    ),
    'channels': (dict(order=(1, 0)), 'the channels a, b, and the data have b, a, the same in another order'),
    'units': (dict(units=('g', 'm/s²')), 'the units g, g, and the data have g, m/s²'),
    'rate': (dict(rate=100), '50 Hz, and the data have 100 Hz'),
    'window': (dict(window=32), 'windows of 64 samples, and the data have windows of 32'),
    'normalizer': (
        dict(normalizer=[dict(type='NormalizeSignal', method='minmax')]),
        r"the normalizer NormalizeSignal\(method='zscore'\), and the data have NormalizeSignal\(method='minmax'\)",
    ),
    'scale': (
        dict(factor=9.81, units=None),
        'values of channel a of about 0.7.*, and the data have about 7.*, as if in another unit',
    ),
}


@pytest.mark.parametrize('kind', OTHERS)
def test_a_student_of_other_data_is_refused_wherever_a_checkpoint_is_read(kind, trained, tmp_path):
    _, checkpoint = trained
    changes, sentence = OTHERS[kind]
    leaf, sentence = write_leaf(tmp_path, kind, **changes), f'was trained on {sentence}'
    with pytest.raises(ValueError, match=f'student_best.pth {sentence}'):
        evaluate_checkpoint(config(leaf, tmp_path), checkpoint)
    with pytest.raises(ValueError, match=f'student_best.pth {sentence}'):
        evaluate_corruptions(config(leaf, tmp_path), checkpoint, choose_corruptions(['noise']))
    teacher = dict(view='sig', network=dict(backbone=dict(type='WideResNet', dim=1, depth=16, widen_factor=1)))
    options = {
        'model.learners.student.init_from': checkpoint,
        'load_from': checkpoint,
        'model.teachers': dict(sig=dict(**teacher, checkpoint=checkpoint)),
        'model.transfers': dict(kd=dict(type='ResponseTransfer', source='sig.logits', target='student.logits')),
    }
    with pytest.raises(ValueError, match=r'\d faults?') as raised:
        check_config(config(leaf, tmp_path / 'run', cfg_options=options))
    for origin in ("learner 'student', init_from=", "teacher 'sig' (", 'load_from='):
        (line,) = (line for line in str(raised.value).splitlines() if origin in line)
        assert sentence.partition(' and the data')[0].replace('\\', '')[:30] in line
    assert not (tmp_path / 'run').exists()


def fold(leaf, work_dir, number, **more):
    return config(leaf, work_dir, fold=number, **more)


def test_a_student_that_knows_the_test_subjects_is_refused_unless_that_is_allowed(trained, tmp_path):
    folder, checkpoint = trained
    leaf = folder / 'plain.py'
    sentence = r'has learned from test subject\(s\) s3; --allow-seen-subjects'
    with pytest.raises(ValueError, match=f'student_best.pth {sentence}'):
        evaluate_checkpoint(fold(leaf, tmp_path, 3), checkpoint)
    with pytest.raises(ValueError, match=r'has learned from val subject\(s\) s4'):
        predict(fold(leaf, tmp_path, 3), checkpoint, split='val')
    assert len(predict(fold(leaf, tmp_path, 3), checkpoint, split='train')) > 0
    options = {'model.learners.student.init_from': checkpoint, 'load_from': checkpoint}
    with pytest.raises(ValueError, match=sentence) as raised:
        check_config(fold(leaf, tmp_path / 'run', 3, cfg_options=options))
    assert str(raised.value).count('has learned from') == 2
    check_config(fold(leaf, tmp_path / 'run', 3, cfg_options=options, allow_seen_subjects=True))
    words = ['test', leaf, checkpoint, '--fold', 3, '--work-dir', tmp_path]
    done = call(*words, folder=tmp_path)
    assert done.returncode == 1
    assert 'student_best.pth has learned from test subject(s) s3; --allow-seen-subjects' in done.stderr
    assert call(*words, '--allow-seen-subjects', folder=tmp_path).returncode == 0


def test_a_run_does_not_go_on_with_another_fold(trained):
    folder, _ = trained
    cfg = fold(folder / 'plain.py', folder / 'run', 3, resume=True, cfg_options={'train_cfg.max_epochs': 4})
    sentence = r'epoch_1.pth, which the run is to go on from, has learned from test subject\(s\) s3'
    with pytest.raises(ValueError, match=sentence):
        train(cfg)
    cfg.allow_seen_subjects = True
    with pytest.raises(ValueError, match='is a checkpoint of another run: train_cfg.max_epochs was 1 there and is 4 now'):
        train(cfg)
    cfg.train_cfg.max_epochs = 1
    with pytest.raises(ValueError, match='of another run: train_dataloader.dataset.subjects.fold was 0 there and is 3 now'):
        train(cfg)


def test_a_teacher_of_another_view_is_refused_though_its_weights_fit(trained, tmp_path):
    """One image looks like another to a network."""
    folder, _ = trained
    network = dict(backbone=dict(type='MobileNetV2', widen_factor=0.5))
    cfg = config(folder / 'plain.py', tmp_path / 'gaf', cfg_options={'train_cfg.max_epochs': 1})
    cfg.model.learners = dict(student=dict(view='gaf', network=network))
    checkpoint = find_network(train(cfg))['checkpoint']
    cfg = config(folder / 'plain.py', tmp_path / 'run')
    cfg.model.teachers = dict(image=dict(view='gaf', network=network, checkpoint=checkpoint))
    cfg.model.transfers = dict(kd=dict(type='ResponseTransfer', source='image.logits', target='student.logits'))
    check_config(cfg)
    cfg.model.teachers.image.view = 'difference'
    with pytest.raises(
        ValueError, match=r"trained on the view Gram.*method='summation'.*the data have Gram.*method='difference'"
    ):
        check_config(cfg)


def test_a_copied_folder_of_a_teacher_is_held_against_the_data(trained, tmp_path):
    folder, checkpoint = trained
    leaf = write_leaf(tmp_path, 'other', classes=['run', 'rest', 'walk'])
    cfg = config(leaf, tmp_path / 'run', cfg_options={'teacher_dir': str(tmp_path / 'teachers')})
    cfg.model.teachers = dict(sig=dict(config=str(folder / 'plain.py'), **cfg.model.learners.student))
    cfg.model.transfers = dict(kd=dict(type='ResponseTransfer', source='sig.logits', target='student.logits'))
    manifest = check_config(cfg)
    shutil.copytree(Path(checkpoint).parent, teacher_run_config(cfg, 'sig', cfg.model.teachers.sig).work_dir)
    with pytest.raises(ValueError, match=r"teacher 'sig' .*student_best.pth. was trained on the classes rest, walk, run, and"):
        prepare_teachers(cfg, train, manifest)


def test_checkpoints_from_elsewhere_and_of_the_host_s_tools(trained, tmp_path):
    folder, path = trained
    checkpoint = load_checkpoint(path)
    leaf, other = folder / 'plain.py', write_leaf(tmp_path, 'other', classes=['run', 'rest', 'walk'])
    bare = tmp_path / 'bare.pth'
    torch.save(checkpoint['state_dict'], bare)
    evaluate_checkpoint(config(other, tmp_path), bare)  # nothing is known of it
    meta = {key: value for key, value in checkpoint['meta'].items() if key != 'contract'}
    torch.save({**checkpoint, 'meta': meta}, bare)
    evaluate_checkpoint(config(leaf, tmp_path), bare)
    with pytest.raises(ValueError, match='bare.pth was trained on the classes rest, walk, run, and the data have run, rest'):
        evaluate_checkpoint(config(other, tmp_path), bare)
    for damage, message in (
        (dict(rate='fast'), "the contract in the checkpoint: rate must be a number above 0, got 'fast'"),
        (dict(classes=3), 'classes must be a list of names, got 3'),
        (dict(window=0), 'window must be a number of samples, at least 1, got 0'),
        (dict(statistics={'mean': [0.0]}), 'statistics must have mean, std, min, max, of 2 channels each'),
        (dict(rates=1), "there is no field 'rates'; did you mean 'rate'?"),
    ):
        damaged = copy.deepcopy(checkpoint)
        damaged['meta']['contract'].update(damage)
        torch.save(damaged, bare)
        with pytest.raises(ValueError, match='bare.pth: the contract in the checkpoint') as raised:
            evaluate_checkpoint(config(leaf, tmp_path), bare)
        assert message in str(raised.value)


def test_several_differences_are_one_sentence_and_unknown_values_are_none(trained):
    contract = contract_of(trained[1])
    assert contract.mismatch(contract) is None
    other = dataclasses.replace(
        contract, units=('g', 'g'), normalizer=None, view=None, hop=7, subjects=('x',), data='', config=''
    )
    assert contract.mismatch(other) is None
    other = dataclasses.replace(other, units=('g', 'g'))
    ours = dataclasses.replace(contract, units=('g', 'm/s²'), rate=20.0, channels=('a', 'c'))
    assert ours.mismatch(other) == (
        'was trained on the channels a, b, and the data have a, c; on the units g, g, and the data have g, m/s²; '
        'on 50 Hz, and the data have 20 Hz'
    )


@pytest.mark.parametrize(
    'reader',
    [
        dict(type='HAPT', root='.'),
        dict(type='HAPT', root='.', sensors=['gyro']),
        dict(type='WISDM2019', root='.'),
        dict(type='UCIHAR', root='.'),
        dict(type='PAMAP2', root='.'),
        dict(type='GENEActiv', root='.'),
        dict(type='SeglearnWatch'),
    ],
    ids=lambda reader: f'{reader["type"]} {reader.get("sensors", "")}',
)
def test_units_are_as_many_as_channels(reader):
    built = TASK_UTILS.build(reader)
    assert len(built.units) == len(built.channels)
    for channel, unit in zip(built.channels, built.units):
        assert ('gyro' in channel or channel.startswith('w')) == (unit == 'rad/s')


def test_units_that_are_not_one_for_each_channel_are_refused(trained, tmp_path):
    leaf = write_leaf(tmp_path, units=('g',))
    with pytest.raises(ValueError, match='units must be one for each of a, b; got g'):
        check_config(config(leaf, tmp_path / 'run'))
