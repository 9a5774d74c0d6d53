"""Protocol between hooks and models, and the hooks that a model needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from mmkd_plugin.registry import HOOKS, find_type

__all__ = ['DetectorProtocol', 'DistillerProtocol', 'MetaProtocol', 'detector_of', 'distiller_of', 'missing_hooks']


@runtime_checkable
class DistillerProtocol(Protocol):
    """A model of named networks with transfers between them.

    Attributes:
        teachers (Mapping): Frozen networks by name.
        streams (tuple[str, ...]): Streams that some network reads beside the windows' signal.
        memory_banks (tuple[str, ...]): Transfers that keep a memory bank of the training samples.
        paced (tuple[str, ...]): Transfers whose weights follow accuracies on the validation windows.
        phases (Phases): ``at(progress)`` returns the name of the phase and the share of it that is done, ``rate(progress)`` the
            learning rate; false where the run has no phases.
        phase (str, optional): Name of the current phase.
        active (frozenset[str]): Terms that are on.
    """

    # No submodule among these: since Python 3.12 isinstance does not ask nn.Module.__getattr__, which gives them.
    teachers: Mapping[str, Any]
    streams: tuple[str, ...]
    memory_banks: tuple[str, ...]
    paced: tuple[str, ...]
    phases: Any
    phase: str | None
    active: frozenset[str]

    def remember(self, labels: Callable[[], Tensor]) -> None:
        """Allocate the memory banks; ``labels`` is called where there is one, and returns ``(n, )``."""

    def observe(self, predict: Callable[[str], Any], learners: bool = True) -> None:
        """Measure accuracies; ``predict`` returns the responses of a network, by its name, to the validation windows."""

    def enter_phase(self, name: str | None) -> None:
        """Switch terms on and learners off as a phase says."""

    def respond(self, data: dict, name: str | None = None) -> dict[str, Tensor]:
        """Return ``logits`` ``(N, K)`` of one network, or of what the model itself predicts, for a batch of the loader."""

    def examine(self, data: dict) -> Any:
        """Examine every term on one batch of the training loader."""

    def plan_caches(self, root: str | Path, data: str, dtype: str = 'float32') -> dict[str, Any]:
        """Return the cache of each teacher's outputs, whether it exists yet or not."""

    def teacher_outputs(self, name: str, batches: Iterable[dict]) -> Iterator[Any]:
        """Yield the taps of a teacher for batches of the loader."""

    def use_caches(self, caches: dict[str, Any]) -> None:
        """Read these teachers' outputs from now on."""


@runtime_checkable
class DetectorProtocol(DistillerProtocol, Protocol):
    """A distiller that scores windows against a threshold.

    Attributes:
        quantile (float): Share of normal validation windows below the threshold.
    """

    quantile: float

    def calibrate(self, training: Iterable[dict], validation: Iterable[dict]) -> float:
        """Set the threshold by batches of both splits, and return it."""


@runtime_checkable
class MetaProtocol(DistillerProtocol, Protocol):
    """A distiller with networks that weigh the teachers.

    Attributes:
        meta_interval (int): Iterations from one meta step to the next.
    """

    meta_interval: int

    def meta_step(self, data: dict, lr: float) -> None:
        """Train these networks; ``data`` is a batch of the training loader, ``lr`` the student's learning rate."""


def distiller_of(runner) -> DistillerProtocol | None:
    """Return the runner's model if it is a distiller, out of its wrapper."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model if isinstance(model, DistillerProtocol) else None


def detector_of(runner) -> DetectorProtocol | None:
    """Return the runner's model if it is a detector, out of its wrapper."""
    model = distiller_of(runner)
    return model if isinstance(model, DetectorProtocol) else None


def missing_hooks(model: nn.Module, hooks: Iterable[Hook | Mapping]) -> list[str]:
    """List the hooks that a model needs and that a run does not have.

    Args:
        model (nn.Module): As it is built from the config.
        hooks (Iterable): Hooks, or their configs as in ``custom_hooks``.

    Returns:
        list[str]: One sentence for each missing hook; empty for a model that is no distiller.
    """
    if not isinstance(model, DistillerProtocol):
        return []
    reasons = {}
    if model.memory_banks:
        reasons['MemoryBankHook'] = f'allocates the memory bank of {", ".join(model.memory_banks)}'
    if model.paced:
        reasons['AccuracyHook'] = f'measures the accuracies that the weights of {", ".join(model.paced)} follow'
    if model.phases:
        reasons['PhaseHook'] = 'leads the run from phase to phase'
    if isinstance(model, DetectorProtocol):
        reasons['CalibrationHook'] = "sets the detector's threshold"
    if isinstance(model, MetaProtocol):
        reasons['MetaHook'] = 'trains the networks that weigh the teachers'
    kinds = [type(hook) if isinstance(hook, Hook) else find_type(HOOKS, hook.get('type')) for hook in hooks]
    present = [kind for kind in kinds if isinstance(kind, type)]
    return [
        f"the config has no {name}, which {reason}: add dict(type='{name}') to custom_hooks"
        for name, reason in reasons.items()
        if not any(issubclass(kind, HOOKS.get(name)) for kind in present)
    ]
