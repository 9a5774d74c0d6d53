"""Examination of every term at the start of a run."""

from __future__ import annotations

import logging

from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

from .protocol import distiller_of

__all__ = ['DoctorHook']


@HOOKS.register_module()
class DoctorHook(Hook):
    """Hook that follows every term's gradient to its learner in the first iterations, and warns of faults.

    An examination costs about one forward pass and one backward pass for every transfer, and leaves the run unchanged. Faults
    stand in the log and in ``result.json``.

    Args:
        iterations (int): Number of a new run's first iterations that are examined; 0 turns the hook off.
    """

    def __init__(self, iterations: int = 1) -> None:
        self.iterations = iterations

    def before_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Examine the next batch."""
        model = distiller_of(runner)
        if runner.iter >= self.iterations or model is None or data_batch is None:
            return
        examination = model.examine(data_batch)
        if len(examination.terms) > 1:  # one term alone has nothing to be compared with
            runner.logger.info(f'terms of iteration {runner.iter + 1}\n{examination.table()}')
        for fault in examination.faults:
            runner.logger.log(logging.WARNING, f'the doctor found: {fault}')
        known = runner.message_hub.runtime_info.get('faults', [])
        runner.message_hub.update_info('faults', [*known, *(fault for fault in examination.faults if fault not in known)])
