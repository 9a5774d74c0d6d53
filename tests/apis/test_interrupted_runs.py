"""Phased runs, and runs with memory banks, through the real runner: killed and resumed, and with fewer teachers."""

import shutil
import signal

import pytest
import torch
from forks import run_program
from helpers import ROOT, TINY, call, term_faults, tiny_config
from mmengine.config import Config

from mmkd_plugin.apis import find_network, format_table, read_result, train
from mmkd_plugin.apis.provenance import config_fingerprint
from mmkd_plugin.fileio import load_checkpoint

EPOCHS = 8  # of two iterations; the second of the three phases has the third and the fourth epoch
# The shipped phases with a memory bank, which learns in the second phase and in the third.
LEAF = """
_base_ = 'mmkd_plugin::configs/progressive_kd.py'
model = dict(
    transfers=dict(
        crd=dict(
            type='ContrastiveTransfer', source='gaf.embedding', target='student.embedding', dim=128, negatives=5, weight=0.8
        )
    ),
    phases=dict(
        img_to_sig=dict(terms=['img_to_sig', 'crd']),
        shared=dict(terms=['shared', 'student', 'image', 'fusion', 'crd']),
    ),
)
"""
# A run that ends in the middle of its fourth epoch without a chance to clean up.
KILLED = """
import os, signal, sys
from mmengine.hooks import Hook
from helpers import tiny_config
from mmkd_plugin.apis import train
from mmkd_plugin.registry import HOOKS

@HOOKS.register_module()
class Killer(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 7:
            os.kill(os.getpid(), signal.SIGKILL)
leaf, work_dir, teacher_dir, epochs = sys.argv[1:]
cfg = tiny_config(leaf, work_dir, teacher_dir, int(epochs))
cfg.custom_hooks.append(dict(type='Killer'))
train(cfg)
"""


@pytest.fixture(scope='module')
def runs(tmp_path_factory, teacher_dir):
    """One run left alone, one killed, and the killed one's folder as the kill left it."""
    folder = tmp_path_factory.mktemp('interrupted')
    leaf = folder / 'phased.py'
    leaf.write_text(LEAF)
    train(tiny_config(leaf, folder / 'alone', teacher_dir, EPOCHS))
    done = run_program(KILLED, leaf, folder / 'killed', teacher_dir, EPOCHS, cwd=ROOT / 'tests')
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    shutil.copytree(folder / 'killed', folder / 'as killed')
    return folder


@pytest.fixture(scope='module')
def resumed(runs, teacher_dir):
    """What the command prints that goes on with the killed run."""
    options = [f'train_cfg.max_epochs={EPOCHS}', 'teachers.train_cfg.max_epochs=1', f'teacher_dir={teacher_dir}']
    arguments = [runs / 'phased.py', '--data', TINY, '--work-dir', runs / 'killed', '--resume', '--cfg-options', *options]
    done = call('train', *arguments, folder=runs)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def log_of(work_dir):
    return ''.join(path.read_text() for path in work_dir.glob('*/*.log'))


def test_a_kill_leaves_a_checkpoint_inside_the_second_phase(runs):
    for phase in ('sig_to_img', 'img_to_sig', 'shared'):
        assert log_of(runs / 'alone').count(f"phase '{phase}' from iteration") == 1
    checkpoint = load_checkpoint(runs / 'as killed' / 'epoch_3.pth')
    assert (runs / 'as killed' / 'last_checkpoint').read_text().strip().endswith('epoch_3.pth')
    assert checkpoint['meta']['epoch'] == 3
    assert checkpoint['message_hub']['runtime_info']['phase'] == 'img_to_sig'
    assert checkpoint['state_dict']['transfers.crd.pairs.gaf.target_memory'].shape == (32, 128)


def test_a_resumed_run_ends_as_the_run_left_alone(runs, resumed):
    """Weights, memory banks, and the metrics of the networks that learned."""
    assert 'learns: student (reads sig), image (reads gaf), fusion (reads student and image)' in resumed
    assert "phase 'sig_to_img' from" not in resumed
    assert "phase 'img_to_sig' from" in resumed
    exported = [torch.load(runs / name / 'student_last.pth', weights_only=True) for name in ('alone', 'killed')]
    trained = [load_checkpoint(runs / name / f'epoch_{EPOCHS}.pth') for name in ('alone', 'killed')]
    for alone, resumed in ([c['state_dict'] for c in pair] for pair in (exported, trained)):
        assert alone.keys() == resumed.keys()
        assert all(torch.equal(alone[key], resumed[key]) for key in alone)
    results = [read_result(runs / name) for name in ('alone', 'killed')]
    alone, killed = ([row for row in result['networks'] if row['role'] == 'learner'] for result in results)
    assert [row['name'] for row in alone] == ['image', 'fusion']
    assert alone == killed
    table = format_table(results[0])
    assert 'with it: fusion' in table
    assert 'with it: image' in table


def test_a_checkpoint_of_another_phase_is_refused(runs, teacher_dir, tmp_path):
    checkpoint = str(runs / 'as killed' / 'epoch_3.pth')
    cfg = tiny_config(runs / 'phased.py', tmp_path / 'run', teacher_dir, EPOCHS, resume=checkpoint)
    cfg.model.phases.sig_to_img.epochs = [0, 10]
    cfg.model.phases.img_to_sig.epochs = [10, 12]
    cfg.model.phases.shared.epochs = [12, 20]
    with pytest.raises(
        ValueError,
        match=r'epoch_3.pth is a checkpoint of another run: model.phases.sig_to_img.epochs.1 was 5 there and is 10 now',
    ):
        train(cfg)


def test_frozen_branches_stand_still_and_only_the_terms_of_a_phase_are_on(tmp_path, teacher_dir):
    """One phase alone, made the whole run: the signal branch must end as it began."""
    cfg = tiny_config('progressive_kd.py', tmp_path / 'run', teacher_dir, epochs=2)
    cfg.model.phases.pop('img_to_sig')
    cfg.model.phases.pop('shared')
    train(cfg)
    states = [load_checkpoint(tmp_path / 'run' / f'epoch_{epoch}.pth')['state_dict'] for epoch in (1, 2)]
    moved = {key.split('.')[1] for key in states[0] if not torch.equal(states[0][key], states[1][key])}
    assert moved == {'image', 'sig_to_img'}


def test_tpkd_takes_one_two_or_three_teachers(tmp_path, teacher_dir):
    starts = set()
    for names in (['sig'], ['sig', 'pi'], ['sig', 'gaf', 'pi']):
        cfg = tiny_config('tpkd.py', tmp_path / '_'.join(names), teacher_dir)
        cfg.model.teachers = {name: cfg.model.teachers[name] for name in names}
        for transfer in cfg.model.transfers.values():
            transfer.source = [address for address in transfer.source if address.partition('.')[0] in names]
            transfer.weighting = dict(type='Fixed', **dict.fromkeys(names, 1 / len(names)))
        result = train(cfg)
        assert [row['name'] for row in result['networks'] if row['role'] == 'teacher'] == names
        assert term_faults(result) == []
        assert result['run']['fingerprint'] == config_fingerprint(cfg)  # not of the paths that training has written in
        text = load_checkpoint(find_network(result)['checkpoint'])['meta']['cfg']
        starts.add(Config.fromstring(text, '.py').model.learners.student.init_from)
    (start,) = starts  # "Ann": trained on labels alone, once for all three
    assert load_checkpoint(start)['meta']['deployed'] == 'student'
