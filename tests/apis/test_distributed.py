"""Two processes on a CPU: together they are one process with the doubled batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import ROOT, TEACHERS

from mmkd_plugin.apis import evaluate_checkpoint, find_network, load_config, read_predictions, read_result, train
from mmkd_plugin.fileio import load_checkpoint

LEAF = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'

# No batch norm in what learns: its statistics are those of a process's own part of the batch.
PARTS = """
import torch, torch.distributed as dist
from pathlib import Path
from mmengine.hooks import Hook
from torch import nn
from mmkd_plugin.registry import HOOKS, MODELS

@MODELS.register_module()
class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [(6, 8), (8, 16), (16, 16)]
        self.stages = nn.ModuleList([nn.Conv1d(a, b, 3, stride=2, padding=1) for a, b in widths])
        self.in_channels = 6
    def forward(self, x):
        out = []
        for stage in self.stages:
            x = stage(x).relu()
            out.append(x)
        return tuple(out)

@HOOKS.register_module()
class Losses(Hook):
    def before_run(self, runner):
        self.values = []
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        values = torch.stack([outputs[key] for key in sorted(outputs) if key.startswith('loss')]).detach()
        if dist.is_initialized():
            dist.all_reduce(values)
            values /= dist.get_world_size()
        self.values.append(values)
    def after_train(self, runner):
        if runner.rank == 0:
            torch.save(torch.stack(self.values), Path(runner.work_dir, 'losses.pth'))
"""

# Balanced classes and all negatives, so that the normaliser of a part is that of the whole.
CONFIG = """
_base_ = {leaf!r}
custom_imports = dict(imports=['parts_of_two_processes'])
custom_hooks = [*_base_.custom_hooks, dict(type='Losses')]
train_dataloader = dict(batch_size={batch}, sampler=dict(seed=0))
lifted = [dict(type='Lift', mode='outer'), dict(type='FrequencyAttention')]
model = dict(
    teachers=dict(sig=None, pi=None, gaf=dict(checkpoint={checkpoint!r})),
    learners=dict(student=dict(network=dict(backbone=dict(_delete_=True, type='Plain')))),
    transfers=dict(
        aver=dict(source=['gaf.logits']),
        fam_sig=None,
        fam_pi=None,
        fam_gaf=dict(
            _delete_=True, type='FeatureTransfer', source='gaf.stages.2', target='student.stages.2', connector=lifted, weight=1.0
        ),
        crd=dict(type='ContrastiveTransfer', source='gaf.embedding', target='student.embedding', dim=16, weight=0.1),
    ),
)
"""


@pytest.fixture(scope='module')
def runs(tmp_path_factory, teacher_dir):
    """Folders of a run in this process and of one in two, and what the command of the second prints."""
    folder = tmp_path_factory.mktemp('two')
    (folder / 'parts_of_two_processes.py').write_text(PARTS)
    options = {'train_cfg.max_epochs': 3, **TEACHERS, 'teacher_dir': str(teacher_dir)}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        (folder / 'one.py').write_text(CONFIG.format(leaf=str(LEAF), batch=16, checkpoint=None))
        one = train(load_config(folder / 'one.py', str(folder / 'one'), cfg_options=options))
    # Two processes would train a teacher of their own, with the doubled batch.
    checkpoint = find_network(one, 'teacher', 'gaf')['checkpoint']
    (folder / 'two.py').write_text(CONFIG.format(leaf=str(LEAF), batch=8, checkpoint=checkpoint))
    command = ['bash', str(ROOT / 'tools' / 'dist_train.sh'), str(folder / 'two.py'), '2', '--work-dir', str(folder / 'two')]
    # One process draws: the other may not have to wait for it, and losses stay those of the run without pictures.
    options |= {'default_hooks.pictures.type': 'PictureHook', 'default_hooks.pictures.interval': 2}
    command += ['--cfg-options', *(f'{key}={value}' for key, value in options.items())]
    environment = {
        **os.environ,
        'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}',
        'PYTHONPATH': f'{folder}:{os.environ.get("PYTHONPATH", "")}',
    }
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, env=environment, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / 'one', folder / 'two', done.stdout


def test_losses_of_two_processes_are_those_of_the_doubled_batch(runs):
    one, two = (torch.load(folder / 'losses.pth', weights_only=True) for folder in runs[:2])
    assert one.shape == (6, 5)  # three epochs of two steps; the sum, the label loss and three transfers
    assert bool((one > 0).all())
    torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-5)


def test_one_of_two_processes_draws(runs):
    names = sorted(path.name for path in runs[1].glob('*/vis_data/vis_image/*'))
    assert names == [f'{name}_{epoch}.png' for name in ('confusion', 'errors') for epoch in (2, 3)]


def test_two_processes_end_with_the_same_weights_filter_and_memory_bank(runs):
    one, two = (load_checkpoint(folder / 'epoch_3.pth')['state_dict'] for folder in runs[:2])
    assert any('filter' in name for name in one)
    assert any('memory' in name for name in one)
    assert one.keys() == two.keys()
    # 32 windows in batches of 8 on each of two processes: two steps per epoch into the one memory bank.
    assert one['transfers.crd.pairs.gaf.steps'] == two['transfers.crd.pairs.gaf.steps'] == 6
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=1e-3, atol=1e-5)


def test_two_processes_report_once(runs):
    _, two, printed = runs
    assert read_result(two)['n_test'] == 40
    assert printed.count('student checkpoint:') == 1


def test_metrics_and_logits_of_two_processes_are_those_of_one(runs):
    _, folder, _ = runs
    row, cfg = find_network(read_result(folder)), load_config(folder.with_suffix('.py'))
    for which in ('best', 'last'):
        assert evaluate_checkpoint(cfg, folder / f'student_{which}.pth') == row['test'][which]
    assert len(set(read_predictions(folder)['window_ids'])) == 40
