"""Resumption of a run by the same model."""

from __future__ import annotations

import uuid

from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmkd_plugin.fileio import check_resumable, check_weights
from mmkd_plugin.registry import HOOKS

__all__ = ['ResumeHook']


@HOOKS.register_module()
class ResumeHook(Hook):
    """Name a run so that the name survives interruptions, and refuse to resume another model.

    The host loads the matching part of a checkpoint and warns of the rest, so that a run resumed with another network would
    go on from random weights. A work directory may also hold the checkpoints of an earlier run; ``run_id``, which is kept in
    the message hub and hence in every checkpoint, tells them apart.
    """

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Check a checkpoint before it is loaded into the model.

        Raises:
            ValueError: The file is not a checkpoint of a run, or a weight is missing, superfluous, or of another shape.
        """
        if runner._resume:
            model = runner.model.module if is_model_wrapper(runner.model) else runner.model
            origin = runner._load_from or f'the newest one in {runner.work_dir}'
            check_resumable(checkpoint, origin)
            check_weights(model.state_dict(), checkpoint['state_dict'], f'the checkpoint to resume from ({origin})')

    def before_train(self, runner) -> None:
        """Name a new run; a resumed run has its name from the checkpoint."""
        if 'run_id' not in runner.message_hub.runtime_info:
            name = [uuid.uuid4().hex]
            broadcast_object_list(name)  # one name for all processes
            runner.message_hub.update_info('run_id', name[0])
