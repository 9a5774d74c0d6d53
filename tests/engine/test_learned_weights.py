"""Weights of teachers that a run learns or measures, through the real runner, and after a resumption."""

import json

import pytest
import torch
from helpers import term_faults, tiny_config

from mmkd_plugin.apis import train
from mmkd_plugin.fileio import load_checkpoint

# Networks that weigh two teachers, and weights that follow the validation accuracy, in one run.
LEAF = """
_base_ = 'mmkd_plugin::configs/meta_kd.py'
custom_hooks = [*_base_.custom_hooks, dict(type='AccuracyHook')]
model = dict(
    meta_interval=1,
    buffer_size=8,
    teachers=dict(pi=None),
    transfers=dict(
        responses=dict(source=['sig.logits', 'gaf.logits']),
        features=dict(source=['sig.embedding', 'gaf.embedding']),
        experts=dict(
            type='ResponseTransfer',
            source=['sig.logits', 'gaf.logits'],
            target='student.logits',
            weighting=dict(type='SelfPaced', alpha=0.3),
        ),
    ),
)
"""


@pytest.fixture(scope='module')
def done(tmp_path_factory, teacher_dir):
    """Folder, config and result of a run of two epochs."""
    folder = tmp_path_factory.mktemp('learned')
    leaf = folder / 'both.py'
    leaf.write_text(LEAF)
    return folder, leaf, train(tiny_config(leaf, folder / 'alone', teacher_dir, 2))


def state_of(folder, epoch=2):
    return load_checkpoint(folder / f'epoch_{epoch}.pth')['state_dict']


def logged(folder):
    return [json.loads(line) for path in folder.glob('*/vis_data/scalars.json') for line in path.read_text().splitlines()]


def test_a_run_trains_the_weighing_networks_and_measures_the_student(done):
    folder, _, result = done
    assert term_faults(result) == []
    states = [state_of(folder / 'alone', epoch) for epoch in (1, 2)]
    for name in ('responses', 'features'):
        first, last = (state[f'transfers.{name}.weighting.network'] for state in states)
        assert not torch.equal(first, last)
    steps = [state['transfers.responses.weighting.steps'].item() for state in states]
    assert steps[1] == 2 * steps[0] > 0
    validated = [row['accuracy/top1'] for row in logged(folder / 'alone') if 'accuracy/top1' in row]  # by the host's metric
    weighting = 'transfers.experts.weighting.'
    # Epoch 2 began with the student that was validated after epoch 1.
    assert states[1][f'{weighting}student_accuracy'].tolist() == pytest.approx([validated[0] / 100] * 2)
    teachers = [row['val']['accuracy'] for row in result['networks'] if row['role'] == 'teacher']
    assert states[1][f'{weighting}teacher_accuracy'].tolist() == pytest.approx(teachers)


def test_a_resumed_run_weighs_as_the_run_left_alone(done, teacher_dir):
    folder, leaf, _ = done
    train(tiny_config(leaf, folder / 'resumed', teacher_dir, 2, resume=str(folder / 'alone' / 'epoch_1.pth')))
    alone, resumed = (state_of(folder / name) for name in ('alone', 'resumed'))
    assert alone.keys() == resumed.keys()
    assert [key for key in alone if not torch.equal(alone[key], resumed[key])] == []
    last = [[row for row in logged(folder / name) if 'loss' in row][-1] for name in ('alone', 'resumed')]
    for row in last:
        assert {'weight_responses/sig', 'weight_features/gaf', 'weight_experts/sig'} <= row.keys()
    shared = [key for key in last[0] if key.startswith(('loss', 'weight'))]
    assert {key: last[0][key] for key in shared} == {key: last[1][key] for key in shared}
