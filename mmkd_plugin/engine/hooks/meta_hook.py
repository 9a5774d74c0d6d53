"""Training of networks that weigh the teachers."""

from __future__ import annotations

from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

from .protocol import MetaProtocol, distiller_of

__all__ = ['MetaHook']


@HOOKS.register_module()
class MetaHook(Hook):
    """Let a distiller with learned weights of teachers take a meta step every few iterations.

    A hook and not a part of the model's training step: the wrapper of several processes has a training step of its own.

    Attributes:
        needs_teachers (bool): Without any it does nothing.
    """

    needs_teachers = True

    def after_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None) -> None:
        """Take the meta step at the student's current rate."""
        model = distiller_of(runner)
        if isinstance(model, MetaProtocol) and data_batch and self.every_n_train_iters(runner, model.meta_interval):
            model.meta_step(data_batch, runner.optim_wrapper.param_groups[0]['lr'])
