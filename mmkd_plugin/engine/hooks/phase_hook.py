"""Phases of a staged run."""

from __future__ import annotations

from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

from ..schedules import training_progress
from .protocol import distiller_of

__all__ = ['PhaseHook']


@HOOKS.register_module()
class PhaseHook(Hook):
    """Lead a run from phase to phase, and set the learning rate of each.

    A phase follows from the run's progress, so a run that was stopped inside a phase goes on inside it. Its name is kept in the
    message hub too, hence in every checkpoint, and a config whose phases do not agree with the checkpoint is refused.
    """

    priority = 'HIGH'  # before the rate is logged

    def before_train(self, runner) -> None:
        """Check that a resumed run is in the phase that its checkpoint names.

        Raises:
            ValueError: The run is in another phase.
        """
        model, saved = distiller_of(runner), runner.message_hub.runtime_info.get('phase')
        if model is None or not model.phases or not saved or not runner.iter:
            return
        name, _ = model.phases.at((runner.iter - 1) / runner.max_iters)
        if name != saved:
            raise ValueError(f"the checkpoint was in phase '{saved}', this config is in '{name}' at iteration {runner.iter}")

    def before_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Enter the phase that the run has reached, and set the rate."""
        model = distiller_of(runner)
        if model is None or not model.phases:
            return
        progress = training_progress()
        name, _ = model.phases.at(progress)
        if name != model.phase:
            model.enter_phase(name)
            runner.logger.info(f"phase '{name}' from iteration {runner.iter + 1}: terms {', '.join(sorted(model.active))}")
        runner.message_hub.update_info('phase', name)
        for group in runner.optim_wrapper.param_groups:
            group['lr'] = model.phases.rate(progress)
