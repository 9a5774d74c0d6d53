import math

import pytest
from mmengine.logging import MessageHub

from mmkd_plugin.apis import load_config
from mmkd_plugin.engine import Constant, Decay, Interval, Ramp, Runner, build_schedule, training_progress


def test_values_by_hand():
    assert Constant(2)(0.7) == 2
    assert [Ramp(4, 0.5)(p) for p in (0, 0.25, 0.5, 1)] == [0, 2, 4, 4]
    assert [Interval(3, 0.25, 0.5)(p) for p in (0, 0.25, 0.49, 0.5, 1)] == [0, 3, 3, 0, 0]
    assert [Decay(4, 1, 0.5)(p) for p in (0, 0.25, 0.5, 1)] == [4, 2.5, 1, 1]
    assert Ramp(4, 0)(0) == 4
    assert Decay(4, 1, 0)(0) == 1


def test_an_interval_that_ends_at_the_end_includes_the_last_step():
    assert Interval(3, 0.5)(1.0) == 3


def test_a_number_or_a_name_in_a_config():
    assert build_schedule(0.5)(0.3) == 0.5
    assert build_schedule(dict(type='mmkd_plugin.Ramp', value=2, over=1))(0.5) == 1


@pytest.mark.parametrize(
    ('weight', 'message'),
    [
        (-0.1, 'weight must be a number of at least 0, got -0.1'),
        ('0.2', "weight must be a number of at least 0, got '0.2'"),
        (True, 'weight must be a number of at least 0, got True'),
        (None, 'weight must be a number of at least 0, got None'),
        (float('nan'), 'weight must be a number of at least 0, got nan'),
        (dict(value=1, over=0.1), r"weight must be a dict with type=, got \{'value': 1, 'over': 0.1\}"),
        (dict(type='mmkd_plugin.Rampp', value=1), r"weight: there is no .* of type 'mmkd_plugin.Rampp'; did you mean 'Ramp'\?"),
        (dict(type='mmkd_plugin.Ramp', value=1, ovr=0.1), r"weight: Ramp takes no 'ovr'; did you mean 'over'\?\nweight: Ramp needs over"),
        (dict(type='mmkd_plugin.Ramp', value=-1, over=0.1), 'weight: value must be a number of at least 0, got -1'),
        (dict(type='mmkd_plugin.Decay', value=1, end=-1), 'weight: end must be a number of at least 0, got -1'),
        (dict(type='mmkd_plugin.Ramp', value=1, over=1.5), 'weight: over must be a number from 0 to 1, got 1.5'),
        (dict(type='mmkd_plugin.Interval', value=1, start=-0.1), 'weight: start must be a number from 0 to 1, got -0.1'),
        (dict(type='mmkd_plugin.Decay', value=1, over=2), 'weight: over must be a number from 0 to 1, got 2'),
        (
            dict(type='mmkd_plugin.Interval', value=1, start=0.5, stop=0.5),
            'weight: start must be below stop, got start=0.5 and stop=0.5',
        ),
    ],
)  # fmt: skip
def test_a_wrong_weight_is_refused(weight, message):
    with pytest.raises(ValueError, match=f'^{message}'):
        build_schedule(weight)


def test_progress_comes_from_the_runner():
    hub = MessageHub.get_instance('test_schedules')
    assert training_progress() == 0
    hub.update_info('iter', 30)
    hub.update_info('max_iters', 120)
    assert training_progress() == 0.25
    hub.update_info('max_iters', 0)
    assert training_progress() == 0


@pytest.mark.parametrize('epochs', [2, 5])
def test_the_learning_rate_falls_along_the_whole_run_however_long_it_is(epochs, tmp_path):
    cfg = load_config('supervised/student', data='basic_motions', work_dir=str(tmp_path))
    cfg.train_cfg.max_epochs = epochs
    runner = Runner.from_cfg(cfg)
    loop = runner.train_loop
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    (scheduler,) = runner.build_param_scheduler(cfg.param_scheduler)
    rates = []
    for _ in range(loop.max_iters):
        rates += runner.optim_wrapper.get_lr()['lr']
        runner.optim_wrapper.step()
        scheduler.step()
    expected = [0.05 * (1 + math.cos(math.pi * i / loop.max_iters)) / 2 for i in range(loop.max_iters)]
    assert rates == pytest.approx(expected)
