"""Schedules: a transfer's weight as a function of the run's progress, which goes from 0 at the first step to 1 at the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmengine.logging import MessageHub

from mmkd_plugin.registry import TASK_UTILS, build_checked
from mmkd_plugin.structures import check_number

__all__ = ['Constant', 'Decay', 'Interval', 'Ramp', 'build_schedule', 'training_progress']


def training_progress() -> float:
    """Return the share of the run that is done; 0 outside a run.

    The share is read from the runner's message hub, so that it is right from the first step after a resume.
    """
    hub = MessageHub.get_current_instance()
    done, total = hub.runtime_info.get('iter', 0), hub.runtime_info.get('max_iters', 0)
    return done / total if total else 0.0


@TASK_UTILS.register_module()
@dataclass(frozen=True)
class Constant:
    """The same weight throughout.

    Attributes:
        value (float): Weight, at least 0.
    """

    value: float

    def __post_init__(self) -> None:
        check_number('value', self.value)

    def __call__(self, progress: float) -> float:
        """Return the weight at a share of the run from 0 to 1."""
        return self.value


@TASK_UTILS.register_module()
@dataclass(frozen=True)
class Ramp:
    """From 0 up to ``value`` in a straight line, then constant.

    Attributes:
        value (float): Weight once the ramp is over, at least 0.
        over (float): Length of the ramp, as a share of the run.
    """

    value: float
    over: float

    def __post_init__(self) -> None:
        check_number('value', self.value)
        check_number('over', self.over, high=1)

    def __call__(self, progress: float) -> float:
        """Return the weight at a share of the run from 0 to 1."""
        return self.value * min(1.0, progress / self.over) if self.over else self.value


@TASK_UTILS.register_module()
@dataclass(frozen=True)
class Interval:
    """``value`` from ``start`` until just before ``stop``, 0 elsewhere.

    With ``stop`` alone this is early-stopped distillation: Cho & Hariharan, ICCV 2019, section 4.

    Attributes:
        value (float): Weight inside the interval, at least 0.
        start (float): Share of the run at which the interval begins.
        stop (float): Share of the run at which the interval ends; 1 includes the last step.
    """

    value: float
    start: float = 0.0
    stop: float = 1.0

    def __post_init__(self) -> None:
        check_number('value', self.value)
        check_number('start', self.start, high=1)
        check_number('stop', self.stop, high=1)
        if not self.start < self.stop:
            raise ValueError(f'start must be below stop, got start={self.start} and stop={self.stop}')

    def __call__(self, progress: float) -> float:
        """Return the weight at a share of the run from 0 to 1."""
        over = progress >= self.stop and self.stop < 1
        return 0.0 if progress < self.start or over else self.value


@TASK_UTILS.register_module()
@dataclass(frozen=True)
class Decay:
    """From ``value`` down to ``end`` in a straight line, then constant.

    Attributes:
        value (float): Weight at the start, at least 0.
        end (float): Weight after the decay, at least 0.
        over (float): Length of the decay, as a share of the run.
    """

    value: float
    end: float = 0.0
    over: float = 1.0

    def __post_init__(self) -> None:
        check_number('value', self.value)
        check_number('end', self.end)
        check_number('over', self.over, high=1)

    def __call__(self, progress: float) -> float:
        """Return the weight at a share of the run from 0 to 1."""
        done = min(1.0, progress / self.over) if self.over else 1.0
        return self.value + (self.end - self.value) * done


def build_schedule(weight: float | Mapping) -> Constant | Ramp | Interval | Decay:
    """Build the schedule of a weight.

    Args:
        weight (float | dict): A number, which stands for itself, or the config of a schedule.

    Raises:
        ValueError: The weight is negative or no number, or the schedule does not take what the dict says.
    """
    if isinstance(weight, Mapping):
        return build_checked(weight, TASK_UTILS, 'weight')
    return Constant(check_number('weight', weight))
