"""Threshold of an anomaly detector."""

from __future__ import annotations

from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

from ..inference import batches_in_order
from .protocol import detector_of

__all__ = ['CalibrationHook']


@HOOKS.register_module()
class CalibrationHook(Hook):
    """Calibrate a detector by the training and the validation split before it is tested, the same windows in every process."""

    def before_test(self, runner) -> None:
        """Set the threshold."""
        model = detector_of(runner)
        if model is None:
            return
        threshold = model.calibrate(batches_in_order(runner.train_dataloader), batches_in_order(runner.val_dataloader))
        runner.logger.info(f'threshold {threshold:.4g}: {100 * model.quantile:g} % of normal validation windows lie below')
