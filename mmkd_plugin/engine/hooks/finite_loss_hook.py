"""End of a run that has diverged."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmengine.hooks import Hook
from torch import Tensor

from mmkd_plugin.registry import HOOKS
from mmkd_plugin.structures import check_number

__all__ = ['FiniteLossHook']


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop a run that has diverged, since its metrics would be those of chance.

    The terms of the objective are looked at after the first iteration, the last one, and every ``interval`` between, and so are
    the responses and the metrics of every validation: the last step may be the one that goes wrong.

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
        first, last = runner.iter == 0, runner.iter + 1 == runner.max_iters
        if self.interval and (first or last or self.every_n_train_iters(runner, self.interval)):
            self._check(outputs or {}, f'by iteration {runner.iter + 1}')

    def after_val_iter(self, runner, batch_idx: int, data_batch: dict | None = None, outputs: list | None = None) -> None:
        """Check the responses to a batch of validation windows.

        Raises:
            FloatingPointError: A response is not finite; the message names the field.
        """
        fields: dict[str, list[Tensor]] = {}
        for sample in outputs or ():
            for name, value in sample.items() if hasattr(sample, 'items') else ():
                if isinstance(value, Tensor) and value.is_floating_point():
                    fields.setdefault(name, []).append(value.flatten())
        responses = {name: torch.cat(values) for name, values in fields.items()}
        self._check(responses, f'in the validation after iteration {runner.iter}')

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:
        """Check the metrics of a validation.

        Raises:
            FloatingPointError: A metric is not finite; the message names it.
        """
        values = {name: torch.as_tensor(value) for name, value in (metrics or {}).items() if isinstance(value, (int, float))}
        self._check(values, f'in the validation after iteration {runner.iter}')

    def _check(self, values: Mapping[str, Tensor], when: str) -> None:
        wrong = {name: value[~torch.isfinite(value)] for name, value in values.items()}
        terms = ', '.join(f'{name} is {value[0].item()}' for name, value in wrong.items() if len(value))
        if terms:
            raise FloatingPointError(f'the run has diverged {when}: {terms}; a weight or the rate is too high')
