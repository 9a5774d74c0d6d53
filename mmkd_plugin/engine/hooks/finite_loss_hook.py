"""End a run that has diverged."""

from __future__ import annotations

import torch
from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

__all__ = ['FiniteLossHook']


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop when a term of the objective is NaN or infinite: such a run would go on to a table of chance-level figures.

    Args:
        interval (int): Iterations between two looks; on a GPU every look waits for the step to end.
    """

    def __init__(self, interval: int = 10) -> None:
        self.interval = interval

    def after_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None) -> None:
        """Look at the terms that are logged.

        Raises:
            FloatingPointError: A term is not finite; the message names it.
        """
        if not self.every_n_train_iters(runner, self.interval):
            return
        bad = {name: value.item() for name, value in (outputs or {}).items() if not torch.isfinite(value).all()}
        if bad:
            terms = ', '.join(f'{name} is {value}' for name, value in bad.items())
            raise FloatingPointError(
                f'the run has diverged by iteration {runner.iter + 1}: {terms}; a weight or the rate is too high'
            )
