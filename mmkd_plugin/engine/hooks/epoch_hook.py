"""Seed and epoch of the run, for data that draw at random."""

from __future__ import annotations

from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

__all__ = ['EpochHook']


@HOOKS.register_module()
class EpochHook(Hook):
    """Tell the training set the run's seed and the epoch, from which its random transforms draw.

    A data set without ``seed`` and ``epoch`` is left alone.
    """

    def before_run(self, runner) -> None:
        """Give the seed to the data set of a run that trains."""
        if runner._train_loop is not None and hasattr(runner.train_dataloader.dataset, 'seed'):
            runner.train_dataloader.dataset.seed = runner.seed

    def before_train_epoch(self, runner) -> None:
        """Give the epoch to the data set; workers that live on between epochs see it too."""
        dataset = runner.train_dataloader.dataset
        if hasattr(dataset, 'epoch'):
            dataset.epoch.fill_(runner.epoch)
