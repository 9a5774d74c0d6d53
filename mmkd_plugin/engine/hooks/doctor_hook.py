"""The doctor's visit at the start of every run."""

from __future__ import annotations

import logging

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmkd_plugin.registry import HOOKS

__all__ = ['DoctorHook']


@HOOKS.register_module()
class DoctorHook(Hook):
    """Follows every term's gradient to its learner in the first iterations, and warns of what only seems to work.

    A visit costs about one forward and, for every transfer, one backward pass; the run itself goes on as without it. What is
    found stands in the log and in ``result.json``.

    Args:
        iterations (int): How many of a new run's first iterations are looked at; 0 turns it off.
    """

    def __init__(self, iterations: int = 1) -> None:
        self.iterations = iterations

    def before_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Look at the batch that comes."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if runner.iter >= self.iterations or not hasattr(model, 'examine'):
            return
        seen = model.examine(data_batch)
        if len(seen.terms) > 1:  # one term alone has nothing to be compared with
            runner.logger.info(f'terms of iteration {runner.iter + 1}\n{seen.table()}')
        for fault in seen.faults:
            runner.logger.log(logging.WARNING, f'the doctor found: {fault}')
        known = runner.message_hub.runtime_info.get('faults', [])
        runner.message_hub.update_info('faults', [*known, *(fault for fault in seen.faults if fault not in known)])
