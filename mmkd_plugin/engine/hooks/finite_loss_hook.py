"""End of a run that has diverged."""

from __future__ import annotations

import torch
from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS
from mmkd_plugin.structures import check_number

__all__ = ['FiniteLossHook']


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop a run when a term of the objective is NaN or infinite, since its metrics would be those of chance.

    Args:
        interval (int): Iterations between two checks, 0 for none; on a GPU every check waits for the step to end.

    Raises:
        ValueError: The interval is negative or no number.
    """

    def __init__(self, interval: int = 10) -> None:
        self.interval = int(check_number('interval', interval))

    def after_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None) -> None:
        """Check the terms that are logged.

        Raises:
            FloatingPointError: A term is not finite; the message names it.
        """
        if not self.every_n_train_iters(runner, self.interval):
            return
        infinite = {name: value.item() for name, value in (outputs or {}).items() if not torch.isfinite(value).all()}
        if infinite:
            terms = ', '.join(f'{name} is {value}' for name, value in infinite.items())
            raise FloatingPointError(
                f'the run has diverged by iteration {runner.iter + 1}: {terms}; a weight or the rate is too high'
            )
