"""Examination of every term at the start of a run."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

from ..teacher_level import chance_faults, predict_teachers
from .protocol import distiller_of

__all__ = ['DoctorHook']


@HOOKS.register_module()
class DoctorHook(Hook):
    """Hook that follows every term's gradient to its learner in the first iterations, and warns of faults.

    An examination costs about one forward pass and one backward pass for every transfer, and leaves the run unchanged. Before
    that, every teacher is asked about the validation windows: one at chance level is a fault. Faults stand in the log and in
    ``result.json``.

    Args:
        iterations (int): Number of a new run's first iterations that are examined; 0 turns the hook off.
    """

    def __init__(self, iterations: int = 1) -> None:
        self.iterations = iterations

    def before_train(self, runner) -> None:
        """Ask the teachers about the validation windows."""
        model = distiller_of(runner)
        if runner.iter < self.iterations and model is not None and model.teachers and runner.val_loop is not None:
            self._report(runner, chance_faults(predict_teachers(model, runner.val_dataloader)))

    def before_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Examine the next batch."""
        model = distiller_of(runner)
        if runner.iter >= self.iterations or model is None or data_batch is None:
            return
        examination = model.examine(data_batch)
        if len(examination.terms) > 1:  # one term alone has nothing to be compared with
            runner.logger.info(f'terms of iteration {runner.iter + 1}\n{examination.table()}')
        self._report(runner, examination.faults)

    def _report(self, runner, faults: Iterable[str]) -> None:
        known = runner.message_hub.runtime_info.get('faults', [])
        new = [fault for fault in faults if fault not in known]
        for fault in new:
            runner.logger.log(logging.WARNING, f'the doctor found: {fault}')
        runner.message_hub.update_info('faults', [*known, *new])
