"""A kill at any moment around a checkpoint costs neither the best epoch nor a validation."""

import errno
import shutil
from pathlib import Path

import pytest
import torch
from helpers import tiny_config
from mmengine.hooks import Hook

from mmkd_plugin.apis import find_network, read_result, train
from mmkd_plugin.fileio import load_checkpoint, remove_leftovers
from mmkd_plugin.registry import HOOKS

EPOCHS = 3


@HOOKS.register_module()
class Snapshots(Hook):
    """Copies the work directory before every write of a checkpoint and every validation: what a kill there would leave."""

    priority = 'VERY_HIGH'

    def __init__(self, folder):
        self.folder = Path(folder)

    def before_save_checkpoint(self, runner, checkpoint):
        self.take(runner, 'save')

    def before_val_epoch(self, runner):
        self.take(runner, 'val')

    def take(self, runner, moment):
        shutil.copytree(runner.work_dir, self.folder / f'{len(list(self.folder.glob("*"))):02}_{moment}')


@pytest.fixture(scope='module')
def snapshots(tmp_path_factory, teacher_dir):
    folder = tmp_path_factory.mktemp('snapshots')
    cfg = tiny_config('supervised/student.py', folder / 'alone', teacher_dir, EPOCHS)
    (folder / 'at').mkdir()
    cfg.custom_hooks.append(dict(type='Snapshots', folder=str(folder / 'at')))
    train(cfg)
    return folder / 'alone', sorted((folder / 'at').iterdir())


def exported(folder):
    return {which: load_checkpoint(folder / f'student_{which}.pth')['state_dict'] for which in ('best', 'last')}


def test_a_new_best_checkpoint_is_written_before_the_old_one_goes(snapshots):
    """Once there is a best checkpoint there always is one."""
    _, folders = snapshots
    counts = [len(list(folder.glob('best_*.pth'))) for folder in folders]
    first = counts.index(1)
    assert max(counts) == 2  # both were there when a later epoch was better
    assert min(counts[first:]) == 1


def test_a_run_killed_at_any_moment_ends_as_the_run_left_alone(snapshots, teacher_dir):
    alone, folders = snapshots
    wanted, row = exported(alone), find_network(read_result(alone))
    assert len(folders) > 3 * EPOCHS - 2
    for folder in folders:
        train(tiny_config('supervised/student.py', folder, teacher_dir, EPOCHS, resume=True))
        for which, state in exported(folder).items():
            assert all(torch.equal(value, wanted[which][key]) for key, value in state.items()), (folder.name, which)
        again = find_network(read_result(folder))
        assert (again['val'], again['test']) == (row['val'], row['test'])
        assert [path.name for path in folder.glob('best_*.pth')] == [path.name for path in alone.glob('best_*.pth')]


@pytest.mark.parametrize(
    ('harm', 'reason'),
    [
        (Path.unlink, 'there is no checkpoint '),
        (lambda path: path.write_bytes(path.read_bytes()[:1000]), 'is not a checkpoint'),
    ],
    ids=['lost', 'torn'],
)
def test_a_lost_best_checkpoint_is_said_and_the_best_of_the_rest_counts(harm, reason, snapshots, teacher_dir, tmp_path, capsys):
    alone, _ = snapshots
    folder = shutil.copytree(alone, tmp_path / 'run')
    for path in folder.glob('best_*.pth'):
        harm(path)
    train(tiny_config('supervised/student.py', folder, teacher_dir, EPOCHS, resume=True))
    printed = ''.join(capsys.readouterr())
    assert 'the best checkpoint so far is left out, and the best from here on counts: ' in printed
    assert reason in printed
    assert load_checkpoint(next(folder.glob(f'best_*epoch_{EPOCHS}.pth')))['meta']['epoch'] == EPOCHS


def test_a_best_checkpoint_that_outlived_its_successor_goes_when_the_run_goes_on(snapshots, teacher_dir, tmp_path):
    """A run that ends between the last write of a new best checkpoint and the removal of the old one leaves both."""
    alone, _ = snapshots
    folder = shutil.copytree(alone, tmp_path / 'run')
    (best,) = folder.glob('best_*.pth')
    start, _, number = best.stem.rpartition('_')
    older, later, other = f'{start}_0.pth', f'{start}_{int(number) + 1}.pth', 'best_of_my_own_epoch_0.pth'
    for name in (older, later, other):
        shutil.copy(best, folder / name)
    train(tiny_config('supervised/student.py', folder, teacher_dir, EPOCHS, resume=True))
    assert {path.name for path in folder.glob('best_*.pth')} == {best.name, later, other}


def test_a_machine_without_open_files_says_nothing_of_the_best_checkpoint(snapshots, teacher_dir, tmp_path, monkeypatch):
    """The run ends, and goes on later with the best checkpoint that it has."""
    folder = shutil.copytree(snapshots[0], tmp_path / 'run')

    def load(path):
        raise OSError(errno.EMFILE, 'Too many open files', str(path))

    with monkeypatch.context() as patch:
        patch.setattr('mmkd_plugin.engine.hooks.checkpoint_hook.load_checkpoint', load)
        with pytest.raises(OSError, match='Too many open files'):
            train(tiny_config('supervised/student.py', folder, teacher_dir, EPOCHS, resume=True))
    assert [path.name for path in folder.glob('best_*.pth')] == [path.name for path in snapshots[0].glob('best_*.pth')]


def test_temporary_files_of_killed_writes_go_when_the_run_goes_on(snapshots, teacher_dir, tmp_path):
    alone, _ = snapshots
    folder = shutil.copytree(alone, tmp_path / 'run')
    left = folder / '.epoch_3.pth.999999999.tmp'
    left.write_bytes(b'half')
    train(tiny_config('supervised/student.py', folder, teacher_dir, EPOCHS, resume=True))
    assert not left.exists()


def test_only_temporary_files_of_dead_processes_are_removed(tmp_path):
    kept = [tmp_path / name for name in ('.a.pth.1.tmp', 'a.tmp', '.tmp', '.a.tmp', 'epoch_1.pth')]
    gone = tmp_path / '.a.pth.999999999.tmp'
    for path in (*kept, gone):
        path.touch()
    assert remove_leftovers(tmp_path) == [gone]
    assert sorted(tmp_path.iterdir()) == sorted(kept)
