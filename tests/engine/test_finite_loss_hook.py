"""A run that diverges in its first, its last or its only iteration gives no result."""

import pytest
import torch
from helpers import tiny_config
from mmengine.hooks import Hook

from mmkd_plugin.apis import train
from mmkd_plugin.engine import FiniteLossHook
from mmkd_plugin.registry import HOOKS


@HOOKS.register_module()
class Poison(Hook):
    """Makes a weight NaN before or after the step of one iteration."""

    def __init__(self, iteration, when):
        self.iteration, self.when = iteration, when

    def before_train_iter(self, runner, **kwargs):
        self.poison(runner, 'before')

    def after_train_iter(self, runner, **kwargs):
        self.poison(runner, 'after')

    def poison(self, runner, when):
        if (runner.iter + 1, when) == (self.iteration, self.when):
            with torch.no_grad():
                next(runner.model.parameters()).fill_(float('nan'))


@pytest.mark.parametrize(
    ('iteration', 'when', 'message'),
    [
        (1, 'before', 'the run has diverged by iteration 1: '),
        (2, 'before', 'the run has diverged by iteration 2: .*loss.* is nan'),
        (2, 'after', 'the run has diverged in the validation after iteration 2: pred_score is nan'),
    ],
)
def test_a_run_of_two_iterations_that_diverges_gives_no_result(iteration, when, message, tmp_path, teacher_dir):
    cfg = tiny_config('supervised/student.py', tmp_path / 'run', teacher_dir)
    cfg.custom_hooks.append(dict(type='Poison', iteration=iteration, when=when))
    with pytest.raises(FloatingPointError, match=message):
        train(cfg)
    assert not (tmp_path / 'run' / 'result.json').exists()
    assert not list((tmp_path / 'run').glob('best_*'))


def test_a_metric_that_is_not_finite_ends_the_run():
    class Runner:
        iter = 7

    hook = FiniteLossHook()
    hook.after_val_epoch(Runner, {'accuracy/top1': 50.0, 'confusion': [1]})
    with pytest.raises(FloatingPointError, match='in the validation after iteration 7: mine/score is nan'):
        hook.after_val_epoch(Runner, {'accuracy/top1': 50.0, 'mine/score': float('nan')})
