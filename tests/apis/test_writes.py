"""Runs on a full disk and beside folders that can only be read; two runs that want the same folder."""

import os
import re
import shutil
import tempfile
import traceback
from pathlib import Path

import pytest
from helpers import CONFIGS, TEACHERS, call, full_disk, give_up_rights, tiny_config

from mmkd_plugin.apis import read_result, train
from mmkd_plugin.fileio import LockedError, locked

LEAF = CONFIGS / 'basic_motions' / 'fam_kd.py'
STUDENT = ['train_cfg.max_epochs=1', 'model.teachers=None', 'model.transfers=None']


@pytest.fixture(scope='module')
def converted(tmp_path_factory):
    """A folder in which the data have been converted."""
    folder = tmp_path_factory.mktemp('converted')
    assert call('data', 'convert', LEAF, folder=folder).returncode == 0
    return folder


@pytest.mark.parametrize(
    ('room', 'options', 'file'),
    [
        (5_000, STUDENT, r'run/\w+/\w+\.log'),
        (15_000, STUDENT, r'run(/\S+)?'),
        (100_000, STUDENT, r'run/epoch_1\.pth'),
        (100_000, ['teachers.train_cfg.max_epochs=1'], r'work_dirs/teachers/sig-\w+/epoch_1\.pth'),
    ],
    ids=['log', 'a file of the host', 'checkpoint', 'teacher'],
)
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(room, options, file, converted, tmp_path):
    folder = shutil.copytree(converted, tmp_path / 'here')
    with full_disk(room):
        done = call('train', LEAF, '--work-dir', 'run', '--cfg-options', *options, folder=folder)
    assert done.returncode == 1
    assert re.fullmatch(
        rf'error: (\S+/)?{file} cannot be written: File too large; [\d,]+\.\d MiB are free in \S+\n', done.stderr
    )
    assert not [path for path in folder.rglob('*') if path.name.endswith(('.tmp', '.pth', 'result.json'))]


def test_a_full_disk_while_data_are_converted(tmp_path):
    with full_disk(5_000):
        done = call('data', 'convert', LEAF, folder=tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(
        r'error: work_dirs/stores/\S+\.npy cannot be written: .*; [\d,]+\.\d MiB are free in \S+\n', done.stderr
    )
    assert not [path for path in tmp_path.rglob('*') if path.name.endswith(('.tmp', '.npy', 'store.json'))]


@pytest.mark.parametrize('command', ['train', 'sweep'])
def test_a_folder_that_is_a_file(command, tmp_path):
    (tmp_path / 'run').touch()
    option = dict(train='--work-dir', sweep='--folder')[command]
    done = call(command, LEAF, option, 'run', '--cfg-options', *STUDENT, folder=tmp_path)
    assert done.returncode == 1
    assert 'run is a file' in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert 'Traceback' not in done.stderr


def without_rights(folder, run, *args):
    """Call a function in a forked process that may write only where permissions let it."""
    here, other = os.pipe()
    child = os.fork()
    if child == 0:
        text = ''
        try:
            give_up_rights()
            os.chdir(folder)
            text = run(*args)
        except BaseException:
            text = traceback.format_exc()
        finally:
            os.write(other, text.encode()[-60_000:])
            os._exit(0)
    os.close(other)
    with open(here) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


@pytest.fixture
def shared(teacher_dir):
    """A folder that everybody can read: trained teachers, their outputs and a store; and one to write into."""
    folder = Path(tempfile.mkdtemp(prefix='mmkd-test-'))
    (folder / 'own').mkdir()
    options = {**TEACHERS, 'teacher_dir': str(folder / 'teachers')}
    options.update({f'{split}_dataloader.dataset.store': str(folder / 'stores') for split in ('train', 'val', 'test')})
    if teacher_dir.is_dir():  # else they are trained here
        shutil.copytree(teacher_dir, folder / 'teachers', ignore=shutil.ignore_patterns('cache', 'epoch_*', 'vis_data'))
    train(tiny_config(LEAF, folder / 'first', folder / 'teachers', cfg_options=options))
    for path in (folder, *folder.rglob('*')):
        path.chmod(0o755 if path.name == 'own' else 0o555 if path.is_dir() else 0o444)
    yield folder, options
    for path in (folder, *folder.rglob('*')):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def test_teachers_outputs_and_stores_that_can_only_be_read_are_used(shared):
    folder, options = shared
    kept = [path for name in ('teachers', 'stores') for path in (folder / name).rglob('*')]
    before = {path: path.stat().st_mtime_ns for path in kept}
    words = ['--work-dir', 'run', '--cfg-options', *(f'{key}={value}' for key, value in options.items())]

    def run(*more):
        done = call('train', LEAF, *words, *more, folder=folder / 'own')
        return done.stdout + done.stderr

    text = without_rights(folder / 'own', run, 'train_cfg.max_epochs=1')
    assert "teacher 'sig': reusing" in text
    assert f'teacher outputs are read from {folder}/teachers/cache' in text
    assert 'cannot be written' not in text
    assert 'is made again' not in text
    assert (folder / 'own' / 'run' / 'result.json').is_file(), text[-2000:]
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    networks = read_result(folder / 'own' / 'run')['networks'][:3]
    assert networks == read_result(folder / 'first')['networks'][:3]

    text = without_rights(folder / 'own', run, 'train_cfg.max_epochs=1', 'teachers.optim_wrapper.optimizer.lr=0.01')
    pattern = r"(?m)^error: teacher 'sig' has to be trained: \S+/teachers/sig-\w+\.lock cannot be written: Permission denied$"
    assert re.search(pattern, text)


def test_two_runs_in_one_folder_and_two_sweeps(tmp_path, teacher_dir):
    cfg = tiny_config('supervised/student.py', tmp_path / 'run', teacher_dir)
    with locked(tmp_path / 'run' / '.lock', 'it', print):
        pattern = rf'the work directory {tmp_path}/run is in use by process {os.getpid()} on \S+ since \d{{4}}-'
        with pytest.raises(LockedError, match=pattern):
            train(cfg)
        assert [path.name for path in (tmp_path / 'run').iterdir()] == ['.lock']
    with locked(tmp_path / 'sweep' / '.lock', 'it', print):
        done = call('sweep', LEAF, '--folder', 'sweep', folder=tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(rf'error: the folder sweep is in use by process {os.getpid()} on \S+ since .*\n', done.stderr)
    assert [path.name for path in (tmp_path / 'sweep').iterdir()] == ['.lock']
