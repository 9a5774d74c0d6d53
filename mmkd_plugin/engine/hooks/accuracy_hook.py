"""Validation accuracies during training."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

from ..inference import Predictions, batches_in_order, predict_windows
from .protocol import DistillerProtocol, distiller_of

__all__ = ['AccuracyHook']


@HOOKS.register_module()
class AccuracyHook(Hook):
    """Measure networks on the validation windows between two epochs, for weights that follow the student's accuracy.

    The host validates after it has written the epoch's checkpoint; measured before the next epoch begins, a resumed run has the
    same weights. No global random number is drawn.
    """

    priority = 'HIGH'  # before the terms are examined

    def before_train(self, runner) -> None:
        """Measure the teachers, so that what is wrong with their classes shows before the first step.

        Raises:
            ValueError: There are no validation windows, or none of a teacher's classes.
        """
        model = distiller_of(runner)
        if model is None or not model.paced:
            return
        if runner.val_loop is None:
            names = ', '.join(model.paced)
            raise ValueError(f'the weights of {names} follow the validation accuracy: the run needs a val_dataloader')
        model.observe(_predict(model, runner), learners=False)

    def before_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Measure where an epoch ends and another begins."""
        model = distiller_of(runner)
        if model is not None and model.paced and runner.iter and not runner.iter % len(runner.train_dataloader):
            model.observe(_predict(model, runner))


def _predict(model: DistillerProtocol, runner) -> Callable[[str], Predictions]:
    """Return a function that runs a network over the validation windows, once for all transfers that ask for the network."""
    return cache(lambda name: predict_windows(model, batches_in_order(runner.val_dataloader), name))
