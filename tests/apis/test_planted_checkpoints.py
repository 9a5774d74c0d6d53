"""Files that would run code, or are damaged, planted wherever a run reads one."""

import copy
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import ROOT, tiny_config
from writers.bytes import flip_byte

from mmkd_plugin.apis import check_config, evaluate_checkpoint, find_network, read_result, train
from mmkd_plugin.apis.results import result_faults
from mmkd_plugin.apis.teachers import prepare_teachers, teacher_run_config
from mmkd_plugin.engine import Reporter, use_reporter
from mmkd_plugin.fileio import file_hash, load_checkpoint, read_predictions, write_predictions, write_result

STUDENT = 'supervised/student.py'
FAM = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'
ONE_TEACHER = {
    **{f'model.teachers.{name}': None for name in ('gaf', 'pi')},
    **{f'model.transfers.fam_{name}': None for name in ('gaf', 'pi')},
    'model.transfers.aver.source': ['sig.logits'],
}
UNSAFE = 'is not a checkpoint that can be loaded with weights_only=True'


class Attack:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


class Listener(Reporter):
    """Keeps the warnings that a user would see."""

    def __init__(self):
        super().__init__()
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


@pytest.fixture
def messages():
    listener = Listener()
    with use_reporter(listener):
        yield listener.warnings


@pytest.fixture
def marker(tmp_path):
    """What an attack makes; it must never be there."""
    path = tmp_path / 'attacked'
    yield path
    assert not path.exists()


@pytest.fixture
def evil(tmp_path, marker):
    path = tmp_path / 'evil.pth'
    torch.save({'state_dict': {}, 'meta': {'epoch': 1, 'iter': 1, 'payload': Attack(marker)}}, path)
    return path


@pytest.fixture(scope='module')
def finished(tmp_path_factory, teacher_dir):
    """A run of two epochs."""
    folder = tmp_path_factory.mktemp('finished') / 'run'
    train(tiny_config(STUDENT, folder, teacher_dir, epochs=2))
    return folder


@pytest.fixture
def work_dir(finished, tmp_path):
    """A copy of the finished run, to be damaged."""
    folder = shutil.copytree(finished, tmp_path / 'run')
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_2.pth'))
    return folder


def resume(work_dir, teacher_dir, **more):
    return train(tiny_config(STUDENT, work_dir, teacher_dir, epochs=2, resume=True, **more))


def weights(work_dir):
    return load_checkpoint(work_dir / 'student_last.pth')['state_dict']


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize('way', ['load_from', 'resume', 'init_from', 'teacher', 'pretrained', 'test', 'last_checkpoint'])
def test_a_file_that_runs_code_is_refused_wherever_one_is_named(way, evil, tmp_path, teacher_dir):
    options = {
        'load_from': {'load_from': str(evil)},
        'init_from': {'model.learners.student.init_from': str(evil)},
        'pretrained': {
            'model.learners.student.network.backbone.init_cfg': dict(type='Pretrained', checkpoint=str(evil)),
        },
        'teacher': {'model.teachers.sig.checkpoint': str(evil), **ONE_TEACHER},
    }.get(way, {})
    more = {'resume': str(evil)} if way == 'resume' else {'resume': way == 'last_checkpoint'}
    run = tmp_path / 'run'
    run.mkdir()
    (run / 'last_checkpoint').write_text(str(evil))
    cfg = tiny_config(FAM if way == 'teacher' else STUDENT, run, teacher_dir, cfg_options=options, **more)
    with pytest.raises(ValueError, match='evil.pth.*not read' if way == 'last_checkpoint' else f'evil.pth {UNSAFE}'):
        evaluate_checkpoint(cfg, evil) if way == 'test' else train(cfg)


def test_a_planted_checkpoint_of_a_work_dir_is_left_out(evil, work_dir, teacher_dir, finished, messages):
    shutil.copy(evil, work_dir / 'epoch_2.pth')
    resume(work_dir, teacher_dir)
    assert any(f'{work_dir}/epoch_2.pth {UNSAFE}' in text for text in messages)
    assert f'the run goes on from {work_dir}/epoch_1.pth, the newest whole checkpoint' in messages
    assert same(weights(work_dir), weights(finished))


def test_a_planted_checkpoint_of_a_teacher_folder_is_left_out(evil, tmp_path, teacher_dir, messages):
    cfg = tiny_config(FAM, tmp_path / 'run', tmp_path / 'shared', cfg_options=ONE_TEACHER)
    folder = Path(teacher_run_config(cfg, 'sig', cfg.model.teachers.sig).work_dir)
    folder.mkdir(parents=True)
    shutil.copy(evil, folder / 'epoch_1.pth')
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
    assert find_network(train(cfg), 'teacher')['name'] == 'sig'
    assert any(f'{folder}/epoch_1.pth {UNSAFE}' in text for text in messages)
    assert f'{folder} has no whole checkpoint: the run starts anew' in messages


@pytest.mark.parametrize('explicit', [False, True])
def test_a_config_in_a_checkpoint_is_not_executed(explicit, work_dir, teacher_dir, marker, tmp_path, finished):
    """The host's resume runs ``meta['config']`` as Python."""
    code = f'import os\nos.mkdir({str(marker)!r})\n'
    checkpoint = load_checkpoint(work_dir / 'epoch_1.pth')
    checkpoint['meta'].update(config=code, cfg=code)
    torch.save(checkpoint, work_dir / 'epoch_1.pth')
    (work_dir / 'epoch_2.pth').unlink()
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'epoch_1.pth'))
    if explicit:
        train(tiny_config(STUDENT, work_dir, teacher_dir, epochs=2, resume=str(work_dir / 'epoch_1.pth')))
    else:
        resume(work_dir, teacher_dir)
    assert same(weights(work_dir), weights(finished))


def test_files_that_a_checkpoint_names_are_not_removed(work_dir, teacher_dir, tmp_path):
    """The host removes what a checkpoint calls its best one, folders too."""
    victim = tmp_path / 'home'
    victim.mkdir()
    (victim / 'epoch_9.pth').write_text('dear')
    checkpoint = load_checkpoint(work_dir / 'epoch_1.pth')
    checkpoint['message_hub']['runtime_info'].update(
        best_ckpt=str(victim), best_score=-1.0, keep_ckpt_ids=['../../home/epoch_9', 1, 1, 1]
    )
    torch.save(checkpoint, work_dir / 'epoch_1.pth')
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'epoch_1.pth'))
    resume(work_dir, teacher_dir)
    assert (victim / 'epoch_9.pth').read_text() == 'dear'


def test_a_pointer_to_the_network_is_refused(work_dir, teacher_dir):
    (work_dir / 'last_checkpoint').write_text('http://localhost:1/epoch_1.pth')
    with pytest.raises(ValueError, match='last_checkpoint names http://localhost:1/epoch_1.pth, which is not fetched; delete'):
        resume(work_dir, teacher_dir)


def cut(path):
    path.write_bytes(path.read_bytes()[:2000])


DAMAGES = {
    'a truncated checkpoint': (lambda folder: cut(folder / 'epoch_2.pth'), 'epoch_2.pth is not a checkpoint'),
    'an empty checkpoint': (lambda folder: (folder / 'epoch_2.pth').write_bytes(b''), 'epoch_2.pth is not a checkpoint'),
    'an exported network': (lambda folder: shutil.copy(folder / 'student_best.pth', folder / 'epoch_2.pth'), 'has exported'),
    'a bare state dict': (lambda folder: torch.save({'a': torch.ones(1)}, folder / 'epoch_2.pth'), 'it has no meta.epoch'),
    'a best checkpoint': (lambda folder: shutil.copy(*folder.glob('best_*.pth'), folder / 'epoch_2.pth'), 'has no optimizer'),
    'an empty pointer': (lambda folder: (folder / 'last_checkpoint').write_text(''), 'last_checkpoint names no checkpoint'),
    'a pointer of noise': (
        lambda folder: (folder / 'last_checkpoint').write_bytes(bytes(range(256)) * 40),
        'last_checkpoint names no checkpoint',
    ),
    'a pointer that was cut': (
        lambda folder: (folder / 'last_checkpoint').write_text(f'{folder}/epo'),
        'last_checkpoint names no checkpoint',
    ),
    'no checkpoint': (lambda folder: [path.unlink() for path in folder.glob('epoch_*.pth')], 'the run starts anew'),
}


@pytest.mark.parametrize('damage', DAMAGES)
def test_a_damaged_run_goes_on_from_the_newest_whole_checkpoint(damage, work_dir, teacher_dir, finished, messages):
    change, sentence = DAMAGES[damage]
    change(work_dir)
    resume(work_dir, teacher_dir)
    assert any(sentence in text for text in messages), messages
    assert same(weights(work_dir), weights(finished))
    ours, whole = (find_network(read_result(folder)) for folder in (work_dir, finished))
    assert (ours['val'], ours['test']) == (whole['val'], whole['test'])


def test_an_explicit_checkpoint_that_is_an_export_is_called_so(work_dir, teacher_dir):
    cfg = tiny_config(STUDENT, work_dir, teacher_dir, epochs=2, resume=str(work_dir / 'student_best.pth'))
    with pytest.raises(
        ValueError,
        match='student_best.pth is a network that a run has exported.*: go on from .*/epoch_2.pth, or start a new run',
    ):
        train(cfg)


def test_a_moved_run_goes_on_from_its_own_checkpoint(work_dir, teacher_dir, finished, messages):
    """The pointer and the best checkpoint are named by the old folder's path."""
    shutil.copy(finished / 'last_checkpoint', work_dir)
    before = sorted(path.name for path in finished.glob('*.pth'))
    resume(work_dir, teacher_dir)
    assert messages == []
    assert sorted(path.name for path in finished.glob('*.pth')) == before
    assert same(weights(work_dir), weights(finished))


@pytest.fixture(scope='module')
def taught(tmp_path_factory):
    """A folder of teachers, and the config of a run that has trained one there."""
    folder = tmp_path_factory.mktemp('taught')
    cfg = tiny_config(FAM, folder / 'run', folder / 'teachers', cfg_options=ONE_TEACHER)
    return cfg, train(cfg)


def overwrite(name, data):
    return lambda folder: (folder / name).write_bytes(data)


FOLDER_DAMAGES = {
    'a torn result': (lambda folder: cut_half(folder / 'result.json'), 'result.json is damaged'),
    'an empty result': (overwrite('result.json', b''), 'result.json is damaged'),
    'a foreign result': (overwrite('result.json', b'[1]'), 'result.json is not the result of a run'),
    'a result without rows': (overwrite('result.json', b'{"networks": []}'), 'the result has no student'),
    'torn logits': (lambda folder: cut_half(folder / 'predictions.npz'), 'predictions.npz is damaged: its content has changed'),
    'a torn export': (lambda folder: cut_half(folder / 'sig_best.pth'), 'its content has changed since it was written'),
    'a flipped weight': (lambda folder: flip_byte(folder / 'sig_last.pth'), 'sig_last.pth is damaged: its content has changed'),
    'a torn last export': (
        lambda folder: cut_half(folder / 'sig_last.pth'),
        'sig_last.pth is damaged: its content has changed since it was written',
    ),
}


def cut_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize('damage', FOLDER_DAMAGES)
def test_a_damaged_folder_of_a_teacher_is_made_whole(damage, taught, messages):
    cfg, result = taught
    row = find_network(result, 'teacher')
    folder = Path(row['checkpoint']).parent
    change, sentence = FOLDER_DAMAGES[damage]
    change(folder)
    cfg = copy.deepcopy(cfg)
    prepare_teachers(cfg, train, check_config(cfg))
    assert [text for text in messages if sentence in text and 'the training is made again' in text], messages
    assert result_faults(folder) == []
    again = find_network(read_result(folder))
    assert (again['val'], again['test']) == (row['val'], row['test'])


def test_a_swapped_teacher_is_noticed(taught, messages):
    """A whole file of other weights, which the result's hash does not name."""
    cfg, result = taught
    path = Path(find_network(result, 'teacher')['checkpoint'])
    before = load_checkpoint(path)
    other = {**before, 'state_dict': {key: value * 2 for key, value in before['state_dict'].items()}}
    torch.save(other, path)
    cfg = copy.deepcopy(cfg)
    prepare_teachers(cfg, train, check_config(cfg))
    assert [text for text in messages if 'sig_best.pth is damaged: its content has changed since it was written' in text]
    assert same(load_checkpoint(path)['state_dict'], before['state_dict'])


def test_a_teacher_that_has_diverged_is_not_used_for_ever(taught, messages):
    """A result of logits that are NaN, as runs wrote them before every validation was looked at."""
    cfg, result = taught
    folder = Path(find_network(result, 'teacher')['checkpoint']).parent
    arrays = read_predictions(folder)
    arrays['sig/last'] = np.full_like(arrays['sig/last'], np.nan)
    write_predictions(arrays, folder)
    damaged = read_result(folder)
    damaged['files']['predictions.npz'] = file_hash(folder / 'predictions.npz')
    write_result(damaged, folder)
    cfg = copy.deepcopy(cfg)
    prepare_teachers(cfg, train, check_config(cfg))
    assert [text for text in messages if 'has logits of sig/last that are not finite: the run has diverged' in text]
    assert np.isfinite(read_predictions(folder)['sig/last']).all()
