"""What makes a resumed run the same run."""

from __future__ import annotations

import uuid

from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmkd_plugin.fileio import check_weights
from mmkd_plugin.registry import HOOKS

__all__ = ['ResumeHook']


@HOOKS.register_module()
class ResumeHook(Hook):
    """Give a run an identity that outlives interruptions, and refuse to go on from another model.

    The host loads what fits of a checkpoint and warns of the rest, so that a run resumed with another network would go on from
    random weights. And a work directory may hold the checkpoints of an earlier run; ``run_id``, which is kept in the message
    hub and hence in every checkpoint, tells them apart.
    """

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Check the checkpoint that was read, before it goes into the model.

        Raises:
            ValueError: A weight is missing, left over, or of another shape.
        """
        if runner._resume:
            model = runner.model.module if is_model_wrapper(runner.model) else runner.model
            origin = runner._load_from or f'the newest one in {runner.work_dir}'
            check_weights(model.state_dict(), checkpoint['state_dict'], f'the checkpoint to resume from ({origin})')

    def before_train(self, runner) -> None:
        """Name a new run; a resumed one has got its name back from the checkpoint."""
        if 'run_id' not in runner.message_hub.runtime_info:
            name = [uuid.uuid4().hex]
            broadcast_object_list(name)  # one name for all processes
            runner.message_hub.update_info('run_id', name[0])
