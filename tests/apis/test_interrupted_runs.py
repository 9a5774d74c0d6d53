"""Staged runs, and runs with memories, through the real runner: interrupted, resumed, in two processes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmkd_plugin.apis import format_table, load_config, train
from mmkd_plugin.fileio import load_checkpoint

ROOT = Path(__file__).parents[2]
TINY = ROOT / 'configs' / '_base_' / 'datasets' / 'basic_motions.py'
DATA = ('train_dataloader', 'val_dataloader', 'test_dataloader', 'data_preprocessor')


@pytest.fixture(scope='module')
def teacher_dir(tmp_path_factory):
    return tmp_path_factory.mktemp('teachers')


def write_leaf(folder, name, more=''):
    """A shipped config on BasicMotions, as a file for the command line."""
    from mmengine.config import Config

    cfg, tiny = Config.fromfile(ROOT / 'configs' / f'{name}.py'), Config.fromfile(TINY)
    for key in DATA:
        cfg[key] = tiny[key]
    path = folder / f'{name}.py'
    cfg.dump(path)
    path.write_text(path.read_text() + more)
    return path


def command(leaf, work_dir, teacher_dir, epochs, *more):
    options = [f'train_cfg.max_epochs={epochs}', f'teacher_dir={teacher_dir}']
    return [
        sys.executable,
        str(ROOT / 'tools' / 'train.py'),
        str(leaf),
        '--work-dir',
        str(work_dir),
        *more,
        '--cfg-options',
        *options,
    ]


def run(*args):
    done = subprocess.run(command(*args), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


KILLER = """
import os, signal
from mmengine.hooks import Hook
from mmkd_plugin.registry import HOOKS

@HOOKS.register_module()
class Killer(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == int(os.environ['KILL_AT']):
            os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_at(iteration, leaf, work_dir, teacher_dir, epochs):
    """Start a run that is killed after a step, without a chance to clean up; give its newest checkpoint."""
    folder = leaf.parent
    (folder / 'killer.py').write_text(KILLER)
    deadly = folder / f'deadly_{leaf.name}'
    more = "custom_imports = dict(imports=['killer'])\ncustom_hooks.append(dict(type='Killer'))\n"
    deadly.write_text(f'{leaf.read_text()}\n{more}')
    environment = {**os.environ, 'PYTHONPATH': f'{folder}:{os.environ.get("PYTHONPATH", "")}', 'KILL_AT': str(iteration)}
    done = subprocess.run(command(deadly, work_dir, teacher_dir, epochs), capture_output=True, env=environment, timeout=300)
    assert done.returncode == -signal.SIGKILL
    return load_checkpoint((work_dir / 'last_checkpoint').read_text().strip())


def weights(work_dir, which):
    return torch.load(work_dir / f'student_{which}.pth', weights_only=True)['state_dict']


def test_a_run_killed_inside_its_second_stage_ends_as_the_run_left_alone(tmp_path, teacher_dir):
    leaf = write_leaf(tmp_path, 'progressive_kd')
    log = run(leaf, tmp_path / 'alone', teacher_dir, 24)
    for phase in ('sig_to_img', 'img_to_sig', 'shared'):
        assert log.count(f"phase '{phase}' from iteration") == 1
    checkpoint = kill_at(17, leaf, tmp_path / 'killed', teacher_dir, 24)
    assert checkpoint['message_hub']['runtime_info']['phase'] == 'img_to_sig'
    assert checkpoint['meta']['epoch'] == 8  # of 24 epochs the second phase has the second quarter
    log = run(leaf, tmp_path / 'killed', teacher_dir, 24, '--resume')
    assert "phase 'sig_to_img' from" not in log
    assert "phase 'img_to_sig' from" in log
    alone, resumed = weights(tmp_path / 'alone', 'last'), weights(tmp_path / 'killed', 'last')
    assert all(torch.equal(alone[key], resumed[key]) for key in alone)
    results = [json.loads((tmp_path / name / 'result.json').read_text()) for name in ('alone', 'killed')]
    assert results[0]['learners'] == results[1]['learners']
    table = format_table(results[0])
    assert 'with it: fusion' in table
    assert 'with it: image' in table


def test_a_checkpoint_of_another_stage_is_refused(tmp_path, teacher_dir):
    leaf = write_leaf(tmp_path, 'progressive_kd')
    checkpoint = kill_at(5, leaf, tmp_path / 'run', teacher_dir, 12)
    assert checkpoint['message_hub']['runtime_info']['phase'] == 'sig_to_img'
    leaf.write_text(
        leaf.read_text()
        + "\nmodel['phases']['sig_to_img']['epochs'] = [0, 1]\nmodel['phases']['img_to_sig']['epochs'] = [1, 10]\n"
    )
    done = subprocess.run(
        command(leaf, tmp_path / 'run', teacher_dir, 12, '--resume'), capture_output=True, text=True, timeout=300
    )
    assert done.returncode != 0
    assert "the checkpoint was in phase 'sig_to_img', this config is in 'img_to_sig'" in done.stderr


def test_frozen_branches_stand_still_and_only_the_stage_s_terms_are_on(tmp_path, teacher_dir):
    """One phase alone, made the whole run: the signal branch must end as it began."""
    leaf = write_leaf(tmp_path, 'progressive_kd', "\nmodel['phases'].pop('img_to_sig')\nmodel['phases'].pop('shared')\n")
    cfg = load_config(
        leaf, work_dir=str(tmp_path / 'run'), cfg_options={'train_cfg.max_epochs': 2, 'teacher_dir': str(teacher_dir)}
    )
    train(cfg)
    states = [load_checkpoint(tmp_path / 'run' / f'epoch_{epoch}.pth')['state_dict'] for epoch in (1, 2)]
    moved = {key.split('.')[1] for key in states[0] if not torch.equal(states[0][key], states[1][key])}
    assert moved == {'image', 'sig_to_img'}


def test_memories_are_resumed_from_the_checkpoint(tmp_path, teacher_dir):
    leaf = write_leaf(tmp_path, 'crd', "\nmodel['transfers']['crd']['negatives'] = 5\n")
    run(leaf, tmp_path / 'alone', teacher_dir, 8)
    checkpoint = kill_at(7, leaf, tmp_path / 'killed', teacher_dir, 8)
    memory = checkpoint['state_dict']['transfers.crd.pairs.gaf.target_memory']
    assert memory.shape == (32, 128)
    assert checkpoint['meta']['epoch'] == 3
    run(leaf, tmp_path / 'killed', teacher_dir, 8, '--resume')
    states = [load_checkpoint(tmp_path / name / 'epoch_8.pth')['state_dict'] for name in ('alone', 'killed')]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_two_processes_train_with_one_memory(tmp_path, teacher_dir):
    leaf = write_leaf(tmp_path, 'crd')
    script = ['bash', str(ROOT / 'tools' / 'dist_train.sh'), str(leaf), '2', '--work-dir', str(tmp_path / 'run')]
    script += ['--cfg-options', 'train_cfg.max_epochs=2', f'teacher_dir={teacher_dir}']
    environment = {**os.environ, 'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}', 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(script, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    state = load_checkpoint(tmp_path / 'run' / 'epoch_2.pth')['state_dict']
    # 32 windows in batches of 16 on each of two processes: one step per epoch.
    assert state['transfers.crd.pairs.gaf.steps'] == 2


@pytest.mark.parametrize('names', [['sig'], ['sig', 'pi'], ['sig', 'gaf', 'pi']])
def test_tpkd_takes_one_two_or_three_teachers(names, tmp_path, teacher_dir):
    leaf = write_leaf(tmp_path, 'tpkd')
    share = 1 / len(names)
    dropped = [name for name in ('sig', 'gaf', 'pi') if name not in names]
    leaf.write_text(
        leaf.read_text()
        + ''.join(f"\nmodel['teachers']['{name}'] = None" for name in dropped)
        + f"""
for transfer in model['transfers'].values():
    transfer['source'] = [address for address in transfer['source'] if address.partition('.')[0] in {names}]
    transfer['weighting'] = dict(type='Fixed', **{dict.fromkeys(names, share)})
"""
    )
    cfg = load_config(
        leaf, work_dir=str(tmp_path / 'run'), cfg_options={'train_cfg.max_epochs': 1, 'teacher_dir': str(teacher_dir)}
    )
    result = train(cfg)
    assert set(result['teachers']) == set(names)
    assert result['faults'] == []
    (start,) = teacher_dir.glob('student-*/student_best.pth')  # "Ann": trained on labels alone, once for all three
    assert load_checkpoint(start)['meta']['deployed'] == 'student'
