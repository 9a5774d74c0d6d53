import pytest
from mmengine.logging import MessageHub

from mmkd_plugin.engine import Constant, Decay, Interval, Ramp, build_schedule, training_progress


def test_values_by_hand():
    assert Constant(2)(0.7) == 2
    assert [Ramp(4, 0.5)(p) for p in (0, 0.25, 0.5, 1)] == [0, 2, 4, 4]
    assert [Interval(3, 0.25, 0.5)(p) for p in (0, 0.25, 0.49, 0.5, 1)] == [0, 3, 3, 0, 0]
    assert [Decay(4, 1, 0.5)(p) for p in (0, 0.25, 0.5, 1)] == [4, 2.5, 1, 1]
    assert Ramp(4, 0)(0) == 4
    assert Decay(4, 1, 0)(0) == 1


def test_a_window_that_closes_at_the_end_stays_open():
    assert Interval(3, 0.5)(1.0) == 3


def test_a_number_or_a_name_in_a_config():
    assert build_schedule(0.5)(0.3) == 0.5
    assert build_schedule(dict(type='mmkd_plugin.Ramp', value=2, over=1))(0.5) == 1


@pytest.mark.parametrize('build', [lambda: Ramp(1, 1.5), lambda: Interval(1, -0.1), lambda: Decay(1, over=2)])
def test_a_share_beyond_the_run_is_refused(build):
    with pytest.raises(ValueError, match='is a share of the run and must be from 0 to 1'):
        build()


def test_a_window_that_never_opens_is_refused():
    with pytest.raises(ValueError, match='start must be below stop'):
        Interval(1, 0.5, 0.5)


def test_progress_comes_from_the_runner():
    hub = MessageHub.get_instance('test_schedules')
    assert training_progress() == 0
    hub.update_info('iter', 30)
    hub.update_info('max_iters', 120)
    assert training_progress() == 0.25
    hub.update_info('max_iters', 0)
    assert training_progress() == 0
