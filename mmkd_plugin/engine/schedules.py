"""Schedules: a transfer's weight as a function of the run's progress, which goes from 0 at the first step to 1 at the last."""

from __future__ import annotations

from mmengine.logging import MessageHub

from mmkd_plugin.registry import TASK_UTILS

__all__ = ['Constant', 'Decay', 'Interval', 'Ramp', 'build_schedule', 'training_progress']


def training_progress() -> float:
    """Share of the run that is done, read from the runner's message hub, hence right after a resume; 0 outside a run."""
    hub = MessageHub.get_current_instance()
    done, total = hub.runtime_info.get('iter', 0), hub.runtime_info.get('max_iters', 0)
    return done / total if total else 0.0


def _share(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f'{name} is a share of the run and must be from 0 to 1, got {value}')
    return float(value)


@TASK_UTILS.register_module()
class Constant:
    """The same weight throughout."""

    def __init__(self, value: float) -> None:
        self.value = float(value)

    def __call__(self, progress: float) -> float:
        """The weight at a share of the run from 0 to 1."""
        return self.value


@TASK_UTILS.register_module()
class Ramp:
    """From 0 up to ``value`` in a straight line, then constant.

    Args:
        value (float): Weight once the ramp is over.
        over (float): Length of the ramp, as a share of the run.
    """

    def __init__(self, value: float, over: float) -> None:
        self.value, self.over = float(value), _share('over', over)

    def __call__(self, progress: float) -> float:
        """The weight at a share of the run from 0 to 1."""
        return self.value * min(1.0, progress / self.over) if self.over else self.value


@TASK_UTILS.register_module()
class Interval:
    """``value`` from ``start`` until just before ``stop``, 0 elsewhere.

    With ``stop`` alone this is early-stopped distillation: Cho & Hariharan, ICCV 2019, section 4.

    Args:
        value (float): Weight inside the window.
        start (float): Share of the run at which it opens.
        stop (float): Share of the run at which it closes; 1 keeps it open to the end.
    """

    def __init__(self, value: float, start: float = 0.0, stop: float = 1.0) -> None:
        self.value, self.start, self.stop = float(value), _share('start', start), _share('stop', stop)
        if not self.start < self.stop:
            raise ValueError(f'Interval opens at {start} and closes at {stop}: start must be below stop')

    def __call__(self, progress: float) -> float:
        """The weight at a share of the run from 0 to 1."""
        closed = progress >= self.stop and self.stop < 1
        return 0.0 if progress < self.start or closed else self.value


@TASK_UTILS.register_module()
class Decay:
    """From ``value`` down to ``end`` in a straight line, then constant.

    Args:
        value (float): Weight at the start.
        end (float): Weight after the decay.
        over (float): Length of the decay, as a share of the run.
    """

    def __init__(self, value: float, end: float = 0.0, over: float = 1.0) -> None:
        self.value, self.end, self.over = float(value), float(end), _share('over', over)

    def __call__(self, progress: float) -> float:
        """The weight at a share of the run from 0 to 1."""
        done = min(1.0, progress / self.over) if self.over else 1.0
        return self.value + (self.end - self.value) * done


def build_schedule(weight: float | dict) -> Constant | Ramp | Interval | Decay:
    """A schedule from a config: a number stands for itself, a dict names one of the classes here."""
    if isinstance(weight, (int, float)):
        return Constant(weight)
    return TASK_UTILS.build(weight)
