"""State that lets a run go on exactly where it was interrupted."""

from __future__ import annotations

from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

from ..loops import Stoppable, random_state, restore_random_state

__all__ = ['INTERRUPTED', 'InterruptionHook']

INTERRUPTED = 'interrupted.pth'  # the checkpoint of a run that was stopped within an epoch
RANDOM = 'random_state'


@HOOKS.register_module()
class InterruptionHook(Hook):
    """Keep the random state and the place within the epoch in every checkpoint; the runner registers the hook itself."""

    priority = 'LOW'  # before the checkpoint hook, which may validate when a run goes on

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add the random state."""
        checkpoint[RANDOM] = random_state()

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Take up random state and place of a checkpoint to resume from."""
        loop = runner._train_loop
        if runner._resume and isinstance(loop, Stoppable):
            loop.resumed = checkpoint.get(RANDOM)
            loop.batches = int((checkpoint.get('meta') or {}).get('batches') or 0)

    def before_train(self, runner) -> None:
        """Go on with the random numbers of the checkpoint: the next to draw may be a validation."""
        loop = runner._train_loop
        if isinstance(loop, Stoppable) and loop.resumed is not None:
            restore_random_state(loop.resumed)
            if not loop.batches:
                loop.resumed = None
