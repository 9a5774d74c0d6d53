"""Ctrl-C and SIGTERM within an epoch: a checkpoint at once, and the same weights in the end."""

import os
import shutil
import signal

import pytest
import torch
from helpers import tiny_config
from mmengine.hooks import Hook

from mmkd_plugin.apis import train
from mmkd_plugin.engine.loops import random_state, restore_random_state
from mmkd_plugin.fileio import load_checkpoint
from mmkd_plugin.registry import HOOKS

EPOCHS = 2  # of two iterations


@HOOKS.register_module()
class Stopper(Hook):
    """Sends Ctrl-C in the middle of an iteration, before the optimiser's step is over for the other hooks."""

    def __init__(self, after):
        self.after = after

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.after:
            os.kill(os.getpid(), signal.SIGINT)


@HOOKS.register_module()
class Noise(Hook):
    """Moves the weights by global random numbers, as dropout would."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        with torch.no_grad():
            for parameter in runner.model.parameters():
                parameter += 1e-3 * torch.randn_like(parameter)


@pytest.fixture(autouse=True)
def ctrl_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background, it is ignored
    yield
    signal.signal(signal.SIGINT, before)


def config(folder, teacher_dir, after=None, **more):
    cfg = tiny_config('supervised/student.py', folder, teacher_dir, EPOCHS, **more)
    cfg.custom_hooks += [dict(type='Noise'), dict(type='Stopper', after=after)]
    return cfg


@pytest.fixture(scope='module')
def alone(tmp_path_factory, teacher_dir):
    folder = tmp_path_factory.mktemp('interruption') / 'alone'
    train(config(folder, teacher_dir))
    return load_checkpoint(folder / f'epoch_{EPOCHS}.pth')['state_dict']


@pytest.mark.parametrize('after', [1, 2, 3])
def test_a_run_stopped_after_any_iteration_ends_as_the_run_left_alone(after, alone, tmp_path, teacher_dir, capsys):
    folder = tmp_path / 'run'
    with pytest.raises(KeyboardInterrupt):
        train(config(folder, teacher_dir, after))
    pointer = (folder / 'last_checkpoint').read_text()
    if after % 2:
        assert pointer == str(folder / 'interrupted.pth')
        meta = load_checkpoint(pointer)['meta']
        assert (meta['epoch'], meta['iter'], meta['batches']) == (after // 2, after, 1)
        assert f'stopped after {after} iterations; the run can go on from {folder}/interrupted.pth' in capsys.readouterr().out
    moved = shutil.move(folder, tmp_path / 'moved')
    train(config(moved, teacher_dir, resume=True))
    state = load_checkpoint(moved / f'epoch_{EPOCHS}.pth')['state_dict']
    assert all(torch.equal(value, state[key]) for key, value in alone.items())
    assert not (moved / 'interrupted.pth').exists()


def test_gradients_that_are_being_gathered_are_in_no_checkpoint_and_it_is_said(tmp_path, teacher_dir, capsys):
    cfg = config(tmp_path / 'run', teacher_dir, 3)
    cfg.optim_wrapper.accumulative_counts = 2
    with pytest.raises(KeyboardInterrupt):
        train(cfg)
    assert 'stopped after 3 iterations, which begin anew after the newest checkpoint' in capsys.readouterr().out
    assert (tmp_path / 'run' / 'last_checkpoint').read_text().endswith('epoch_1.pth')


def test_random_numbers_go_on(tmp_path):
    import random

    import numpy as np

    def draw():
        return random.random(), float(np.random.normal()), float(torch.rand(()))

    draw()
    torch.save({'state': random_state()}, tmp_path / 'state.pth')
    expected = draw()
    restore_random_state(torch.load(tmp_path / 'state.pth', weights_only=True)['state'])
    assert draw() == expected
