"""Validation accuracies during training."""

from __future__ import annotations

from functools import cache

from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

from ..inference import Predictions, batches_in_order, predict_windows
from .protocol import distiller_of

__all__ = ['AccuracyHook']


@HOOKS.register_module()
class AccuracyHook(Hook):
    """Measure networks on the validation windows between two epochs, for weights that follow the student's accuracy.

    The host validates after it has written the epoch's checkpoint; measured before the next epoch begins, a resumed run has the
    same weights. No global random number is drawn.
    """

    priority = 'HIGH'  # before the terms are examined

    def before_train(self, runner) -> None:
        """Check that there are validation windows.

        Raises:
            ValueError: There are none, and a transfer follows them.
        """
        model = distiller_of(runner)
        if model is not None and model.paced and runner.val_loop is None:
            names = ', '.join(model.paced)
            raise ValueError(f'the weights of {names} follow the validation accuracy: the run needs a val_dataloader')

    def before_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Measure where an epoch ends and another begins."""
        model = distiller_of(runner)
        if model is None or not model.paced or not runner.iter or runner.iter % len(runner.train_dataloader):
            return

        @cache  # the student is asked for by each of its transfers
        def predict(name: str) -> Predictions:
            return predict_windows(model, batches_in_order(runner.val_dataloader), name)

        model.observe(predict)
