"""Refuse to resume from a checkpoint of another model."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmkd_plugin.registry import HOOKS

from ..weights import check_weights

__all__ = ['StrictResumeHook']


@HOOKS.register_module()
class StrictResumeHook(Hook):
    """Compare names and shapes before a resumed run goes on.

    The host loads what fits and warns of the rest, so a run resumed with another network would go on from random weights.
    """

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Check the checkpoint that was read, before it goes into the model.

        Raises:
            ValueError: A weight is missing, left over, or of another shape.
        """
        if runner._resume:
            model = runner.model.module if is_model_wrapper(runner.model) else runner.model
            check_weights(model.state_dict(), checkpoint['state_dict'], f'the checkpoint to resume from ({runner._load_from})')
