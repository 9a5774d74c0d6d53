"""Runs whose teacher is a file of outputs: the run with the network that gave them, checks, doctor, resume, cache."""

import shutil

import numpy as np
import pytest
import torch
from helpers import CONFIGS, tiny_config

from mmkd_plugin.apis import check_config, diagnose, predict, train, verify_caches
from mmkd_plugin.apis.plan import network_titles
from mmkd_plugin.apis.predict import find_networks
from mmkd_plugin.apis.resume import check_resume
from mmkd_plugin.apis.teachers import prepare_teachers, run_settings, trained_teachers
from mmkd_plugin.engine import Runner, TeacherCacheHook
from mmkd_plugin.fileio import ConfigError, file_hash, load_npz, read_predictions, read_result

CLASSES = ['Badminton', 'Running', 'Standing', 'Walking']


@pytest.fixture(scope='module')
def by_network(teacher_dir, tmp_path_factory):
    """A config whose teacher is a network, which is trained, and the row of that."""
    cfg = tiny_config('kd.py', tmp_path_factory.mktemp('network') / 'run', teacher_dir)
    folder = prepare_teachers(cfg, train, check_config(cfg))['sig']
    return cfg, read_result(folder)['networks'][-1]


@pytest.fixture(scope='module')
def outputs(by_network, tmp_path_factory):
    """Logits of the teacher on all windows."""
    cfg, row = by_network
    splits = [predict(cfg, row['checkpoint'], 'sig', split) for split in ('train', 'val', 'test')]
    path = tmp_path_factory.mktemp('outputs') / 'sig.npz'
    windows = [window for split in splits for window in split.window_ids]
    np.savez(path, logits=torch.cat([split.logits for split in splits]), window_ids=windows, classes=CLASSES)
    return path


def config(folder, teacher_dir, base='kd.py', more='', **teachers):
    """A config of which these teachers are files."""
    entries = ', '.join(f"{name}=dict(_delete_=True, outputs='{path}')" for name, path in teachers.items())
    text = f"_base_ = ['{CONFIGS / base}']\nmodel = dict(teachers=dict({entries}))\n{more}"
    (folder / 'leaf.py').write_text(text)
    return tiny_config(folder / 'leaf.py', folder / 'run', teacher_dir)


@pytest.fixture(scope='module')
def finished(outputs, tmp_path_factory):
    """A run by the file alone, with a folder of teachers of its own, in which none is trained."""
    folder = tmp_path_factory.mktemp('finished')
    train(config(folder, folder / 'teachers', sig=outputs))
    assert not (folder / 'teachers').exists()
    return folder / 'run'


def looked_at(cfg, finished):
    """The doctor's look at the first batch of a run whose student starts from a file."""
    cfg.model.learners.student.init_from = str(finished / 'student_best.pth')
    return diagnose(cfg, batches=1)


@pytest.fixture(scope='module')
def by_file(outputs, finished, teacher_dir, tmp_path_factory):
    return looked_at(config(tmp_path_factory.mktemp('looked'), teacher_dir, sig=outputs), finished)


def test_a_step_by_a_file_is_the_step_by_the_network_that_gave_it(by_network, by_file, finished, teacher_dir, tmp_path):
    expected = looked_at(tiny_config('kd.py', tmp_path, teacher_dir), finished)
    for term, other in zip(by_file.examinations[0].terms, expected.examinations[0].terms):
        assert (term.name, term.weight) == (other.name, other.weight)
        assert (term.value, term.gradient) == pytest.approx((other.value, other.gradient), rel=1e-3)
    assert by_file.teachers == expected.teachers == {'sig': by_network[1]['val']['accuracy']}
    assert by_file.faults == expected.faults
    assert by_file.records == {}


def test_the_row_of_a_file_names_the_file_and_no_parameters(by_network, finished, outputs):
    row, expected = read_result(finished)['networks'][0], by_network[1]
    assert (row['name'], row['role'], row['view']) == ('sig', 'teacher', 'outputs of sig')
    assert (row['params'], row['macs'], row['checkpoint'], row['sha256']) == (0, 0, str(outputs), file_hash(outputs))
    assert (row['val'], row['test']['last']) == (None, None)
    assert row['test']['best'] == pytest.approx(expected['test']['best'])
    arrays = load_npz(outputs)
    logits = dict(zip(arrays['window_ids'], arrays['logits']))
    predictions = read_predictions(finished)
    assert np.array_equal(predictions['sig/best'], [logits[window] for window in predictions['window_ids']])


def test_a_run_goes_on_by_the_same_file_alone_wherever_that_lies(finished, outputs, teacher_dir, tmp_path):
    shutil.copy(outputs, tmp_path / 'moved.npz')
    cfg = config(tmp_path, teacher_dir, sig=tmp_path / 'moved.npz')
    cfg.work_dir, cfg.resume = str(finished), True
    check_resume(cfg, run_settings(cfg))
    arrays = load_npz(outputs)
    np.savez(tmp_path / 'moved.npz', **{**arrays, 'logits': arrays['logits'] + 1})
    with pytest.raises(ValueError, match=r'is a checkpoint of another run: model.teachers.sig.outputs was .* there and is'):
        train(cfg)


def test_no_teacher_is_trained_for_a_file_and_nothing_is_kept(outputs, teacher_dir, tmp_path):
    cfg = config(tmp_path, teacher_dir, sig=outputs)
    assert trained_teachers(cfg) == {}
    assert network_titles(cfg) == ['student']
    assert run_settings(cfg)['model']['teachers'] == {'sig': {'outputs': file_hash(outputs)}}
    with pytest.raises(ValueError, match='the config keeps no outputs: it has no teachers whose outputs are computed'):
        verify_caches(cfg)


def test_commands_that_load_networks_leave_files_out(outputs, teacher_dir, tmp_path, capfd):
    cfg = config(tmp_path, teacher_dir, sig=outputs)
    assert find_networks(cfg, 'student.pth') == [(None, 'student.pth')]
    assert f"teacher 'sig' is left out: its outputs lie in {outputs}" in ''.join(capfd.readouterr())
    with pytest.raises(ValueError, match=f"^teacher 'sig' is no network: its outputs lie in {outputs}"):
        predict(cfg, 'student.pth', 'sig')


def faults_of(cfg):
    with pytest.raises(ConfigError) as error:
        check_config(cfg)
    return error.value.faults


def test_windows_without_an_output_are_counted_and_named(outputs, teacher_dir, tmp_path):
    arrays = load_npz(outputs)
    kept = np.setdiff1d(np.arange(80), [3, 4, 35])
    np.savez(tmp_path / 'sig.npz', **{name: arrays[name] if name == 'classes' else arrays[name][kept] for name in arrays})
    names = ', '.join(arrays['window_ids'][row] for row in (3, 4, 35))
    assert faults_of(config(tmp_path, teacher_dir, sig=tmp_path / 'sig.npz')) == (
        f"teacher 'sig': {tmp_path / 'sig.npz'} has no output of 3 windows of the run (2 of 32 in train, 1 of 8 in val): "
        f'window_ids lack {names}',
    )


def test_classes_and_files_are_checked_before_anything_is_built(outputs, teacher_dir, tmp_path):
    arrays = load_npz(outputs)
    np.savez(tmp_path / 'order.npz', **{**arrays, 'classes': CLASSES[::-1]})
    np.savez(tmp_path / 'three.npz', logits=arrays['logits'][:, :3], window_ids=arrays['window_ids'])
    paths = {'sig': tmp_path / 'order.npz', 'gaf': tmp_path / 'three.npz', 'pi': tmp_path / 'none.npz'}
    assert faults_of(config(tmp_path, teacher_dir, 'entropy_kd.py', **paths)) == (
        f"teacher 'sig': {tmp_path / 'order.npz'} has the classes Walking, Standing, Running, Badminton, and the data have "
        'Badminton, Running, Standing, Walking, the same in another order',
        f"teacher 'gaf': {tmp_path / 'three.npz'} has logits of 3 classes, and the data have 4",
        f"teacher 'pi': there is no file of outputs {tmp_path / 'none.npz'}",
    )


def test_a_transfer_that_reads_what_the_file_lacks_is_refused(outputs, teacher_dir, tmp_path):
    hint = "transfers=dict(hint=dict(type='FeatureTransfer', source='sig.stages.1', target='student.stages.1'))"
    (fault,) = faults_of(config(tmp_path, teacher_dir, more=f'model["transfers"] = {hint[10:]}', sig=outputs))
    assert fault == "transfer 'hint': address 'sig.stages.1': network 'sig' offers no stages: its outputs are logits"


def test_a_file_by_time_takes_the_rate_of_the_data(by_file, outputs, finished, teacher_dir, tmp_path):
    """One output in the middle of every recording, which is one window: the rows of the file by windows."""
    arrays = load_npz(outputs)
    recordings = [window.rpartition(':')[0] for window in arrays['window_ids']]
    np.savez(tmp_path / 'sig.npz', logits=arrays['logits'], recordings=recordings, times=np.full(80, 5.0))
    by_time = looked_at(config(tmp_path, teacher_dir, sig=tmp_path / 'sig.npz'), finished)
    assert by_time.teachers == by_file.teachers
    assert by_time.examinations[0].terms == by_file.examinations[0].terms
    np.savez(tmp_path / 'late.npz', logits=arrays['logits'], recordings=recordings, times=np.full(80, 99.0))
    (fault,) = faults_of(config(tmp_path, teacher_dir, sig=tmp_path / 'late.npz'))
    assert (
        'has no output of 80 windows of the run (32 of 32 in train, 8 of 8 in val, 40 of 40 in test): times in windows' in fault
    )


def test_augmentation_beside_a_file_is_said(outputs, teacher_dir, tmp_path, capfd):
    cfg = config(tmp_path, teacher_dir, sig=outputs)
    cfg.train_dataloader.dataset.pipeline.insert(0, dict(type='Scale'))
    runner = Runner.from_cfg(cfg)
    TeacherCacheHook(mode='off').before_train(runner)
    log = ''.join(capfd.readouterr())
    assert 'outputs of sig are of the windows as they were recorded, and Scale changes what the student reads' in log
