"""A run with a moving average of weights: table, export and checkpoint of the last epoch speak of the same weights."""

import pytest
import torch
from helpers import tiny_config

from mmkd_plugin.apis import evaluate_checkpoint, find_network, train
from mmkd_plugin.fileio import load_checkpoint

EMA = dict(type='EMAHook', momentum=0.05, priority='ABOVE_NORMAL')


@pytest.mark.parametrize('average', [EMA, dict(EMA, update_buffers=True), dict(EMA, begin_epoch=2)])
def test_the_last_epoch_is_one_set_of_weights(average, tmp_path, teacher_dir):
    cfg = tiny_config('supervised/student.py', tmp_path / 'run', teacher_dir, epochs=2)
    cfg.custom_hooks = [*cfg.custom_hooks, average]
    result = train(cfg)
    state = load_checkpoint(tmp_path / 'run' / 'epoch_2.pth')
    checkpoint = {k.removeprefix('learners.student.'): v for k, v in state['state_dict'].items() if 'learners.student.' in k}
    export = load_checkpoint(tmp_path / 'run' / 'student_last.pth')['state_dict']
    assert export.keys() == checkpoint.keys()
    assert all(torch.equal(export[name], checkpoint[name]) for name in export)
    trained = state['ema_state_dict']['module.learners.student.head.fc.weight']  # the host keeps it in the average's place
    assert not torch.equal(export['head.fc.weight'], trained)
    # The table is of these weights: test.py gives its figures for the export of the last epoch.
    again = tiny_config('supervised/student.py', tmp_path / 'again', teacher_dir, epochs=2)
    for name in ('student_last.pth', 'epoch_2.pth'):
        assert evaluate_checkpoint(again, tmp_path / 'run' / name) == find_network(result)['test']['last']
