"""Two processes on a CPU: together they are one process with the doubled batch."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
LEAF = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'

# No batch norm in what learns: its statistics are those of a process's own part of the batch.
SCRIPT = """
import sys, torch, torch.distributed as dist
from pathlib import Path
from mmengine.hooks import Hook
from torch import nn
from mmkd_plugin.apis import load_config, train
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
        self.seen = []
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        values = torch.stack([outputs[key] for key in sorted(outputs) if key.startswith('loss')]).detach()
        if dist.is_initialized():
            dist.all_reduce(values)
            values /= dist.get_world_size()
        self.seen.append(values)
    def after_train(self, runner):
        if runner.rank == 0:
            model = getattr(runner.model, 'module', runner.model)
            weights = {k: v for k, v in model.state_dict().items()}
            torch.save(dict(losses=torch.stack(self.seen), weights=weights), sys.argv[2])

leaf, out, batch, teachers, launcher = sys.argv[1:6]
options = {'train_dataloader.batch_size': int(batch), 'teacher_dir': teachers, 'train_cfg.max_epochs': 3}
cfg = load_config(leaf, work_dir=out + '.run', launcher=launcher, cfg_options=options)
for checkpoint in Path(teachers).glob('gaf-*/gaf_best.pth'):
    cfg.model.teachers.gaf.checkpoint = str(checkpoint)  # with another batch size it would be another teacher
cfg.train_dataloader.sampler.seed = 0
cfg.custom_hooks.append(dict(type='Losses'))
cfg.model.learners.student.network = dict(backbone=dict(type='Plain'))
train(cfg)
if dist.is_initialized():
    dist.destroy_process_group()
"""

# Balanced classes and all negatives, so that the normaliser of a part is that of the whole.
CONFIG = """
_base_ = {leaf!r}
lifted = [dict(type='Lift', mode='outer'), dict(type='FrequencyAttention')]
model = dict(
    teachers=dict(sig=None, pi=None),
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


def run(folder: Path, name: str, processes: int, batch: int, teachers: Path) -> dict:
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    command, launcher = [sys.executable], 'none'
    if processes > 1:
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        command += ['-m', 'torch.distributed.run', f'--nproc_per_node={processes}', f'--master_port={port}']
        launcher = 'pytorch'
    command += [str(folder / 'script.py'), str(folder / 'config.py'), str(folder / name), str(batch), str(teachers), launcher]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, env=environment, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return torch.load(folder / name, weights_only=True)


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp('two')
    (folder / 'script.py').write_text(SCRIPT)
    (folder / 'config.py').write_text(CONFIG.format(leaf=str(LEAF)))
    one = run(folder, 'one', 1, 16, folder / 'teachers')
    return one, run(folder, 'two', 2, 8, folder / 'teachers')


def test_losses_of_two_processes_are_those_of_the_doubled_batch(runs):
    one, two = runs
    assert one['losses'].shape == (6, 5)  # three epochs of two steps; the sum, the label loss and three transfers
    assert bool((one['losses'] > 0).all())
    torch.testing.assert_close(two['losses'], one['losses'], rtol=1e-4, atol=1e-5)


def test_two_processes_end_with_the_same_weights_filter_and_memories(runs):
    one, two = runs
    names = set(one['weights'])
    assert any('filter' in name for name in names)
    assert any('memory' in name for name in names)
    assert names == set(two['weights'])
    for name in names:
        torch.testing.assert_close(two['weights'][name], one['weights'][name], rtol=1e-3, atol=1e-5)
