"""Threshold of an anomaly detector."""

from __future__ import annotations

from collections.abc import Iterator

from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

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
        threshold = model.calibrate(_in_order(runner.train_dataloader), _in_order(runner.val_dataloader))
        runner.logger.info(f'threshold {threshold:.4g}: {100 * model.quantile:g} % of normal validation windows lie below')


def _in_order(loader) -> Iterator[dict]:
    """Yield the batches of a loader's data set, one after another: its sampler would give each process a part."""
    dataset, size = loader.dataset, loader.batch_size
    for start in range(0, len(dataset), size):
        yield loader.collate_fn([dataset[i] for i in range(start, min(start + size, len(dataset)))])
