"""Checkpoints of a run that may be killed at any moment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mmengine.dist import barrier, is_main_process
from mmengine.hooks import CheckpointHook as HostCheckpointHook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

from mmkd_plugin.failures import of_the_machine
from mmkd_plugin.fileio import load_checkpoint, safe_loading, write_atomically
from mmkd_plugin.registry import HOOKS

__all__ = ['CheckpointHook', 'checkpoint_files', 'planned_files']

LOOPS = (EpochBasedTrainLoop, IterBasedTrainLoop)
STEP = re.compile(r'(best_.+_)(\d+)\.pth')  # metric with the unit, and the number of a best checkpoint
DONE = 'validated'  # in the message hub: the epoch or iteration whose validation has been judged


@HOOKS.register_module()
class CheckpointHook(HostCheckpointHook):
    """The host's hook, with a best checkpoint that survives a kill.

    The host removes the old best checkpoint before it writes the new one, and does not validate a resumed epoch again, so that
    a kill between its checkpoint and its validation loses the best one. What a checkpoint names is removed only if it lies in
    the run's own folder: paths in a checkpoint are not to be trusted.
    """

    def before_train(self, runner) -> None:
        """Take up what the checkpoint says of the best one, and validate where a kill has come before the validation."""
        info = runner.message_hub.runtime_info
        kept = info.get('keep_ckpt_ids')
        if kept is not None:
            info['keep_ckpt_ids'] = [step for step in kept if type(step) is int] if isinstance(kept, list) else []
        folder, _ = checkpoint_files(runner, self)
        for key in [key for key in info if re.match('best_ckpt(_|$)', key)]:
            path = folder / Path(str(info[key])).name
            info[key] = str(path)
            self._take_along(runner, path)
            fault = _fault(path)
            if fault:
                runner.logger.warning(f'the best checkpoint so far is left out, and the best from here on counts: {fault}')
                for gone in (key, key.replace('best_ckpt', 'best_score', 1), DONE):
                    runner.message_hub.pop_info(gone)
            elif is_main_process():
                _remove_older(path)
        super().before_train(runner)
        self._validate_again(runner)

    def _take_along(self, runner, path: Path) -> None:
        """Copy the best checkpoint so far to where this run keeps its own, if the run goes on from another folder."""
        if not (runner._resume and runner._load_from) or path.is_file():
            return
        origin = Path(runner._load_from).expanduser().parent / path.name
        if is_main_process() and path.name.startswith('best_') and origin.is_file():
            write_atomically(origin.read_bytes(), path)
            runner.logger.info(f'the best checkpoint so far, {origin}, is copied to {path}')
        barrier()

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:
        """Keep the best checkpoint."""
        if isinstance(runner._train_loop, LOOPS):
            runner.message_hub.update_info(DONE, _done(runner._train_loop)[0])
        super().after_val_epoch(runner, metrics)

    def _save_best_checkpoint(self, runner, metrics: dict[str, float]) -> None:
        """Write the new best checkpoint, then remove the old one."""
        before = self._best()
        self._set_best(dict.fromkeys(before))  # the host removes what it knows
        super()._save_best_checkpoint(runner, metrics)
        now = {key: path or before.get(key) for key, path in self._best().items()}
        self._set_best(now)
        for path in sorted({path for path in before.values() if path} - set(now.values())):
            if is_main_process() and self.file_backend.isfile(path):
                self.file_backend.remove(path)

    def _publish_model(self, runner, ckpt_path: str) -> None:
        with safe_loading():
            super()._publish_model(runner, ckpt_path)

    def _best(self) -> dict[str, str | None]:
        """Return the best checkpoint by its metric."""
        if not self.save_best:
            return {}
        if len(self.key_indicators) == 1:
            return {'': self.best_ckpt_path}
        return dict(self.best_ckpt_path_dict)

    def _set_best(self, paths: dict[str, str | None]) -> None:
        if '' in paths:
            self.best_ckpt_path = paths['']
        elif paths:
            self.best_ckpt_path_dict = paths

    def _validate_again(self, runner) -> None:
        """Validate the epoch of the checkpoint, unless the checkpoint was written after its validation."""
        loop = runner.train_loop
        if not (runner._resume and runner._has_loaded and isinstance(loop, LOOPS)) or runner.val_loop is None:
            return
        done, total = _done(loop)
        if done == 0 or runner.message_hub.runtime_info.get(DONE) == done:
            return
        loop._decide_current_val_interval()
        if done >= loop.val_begin and (done % loop.val_interval == 0 or done == total):
            runner.logger.info(f'the validation after {done} of {total} is made again: the checkpoint is older')
            runner.val_loop.run()
            runner.model.train()


def _fault(path: Path) -> str | None:
    """Say why a file is no best checkpoint that can be read."""
    if not path.name.startswith('best_'):
        return f'{path} is not named best_*'
    try:
        load_checkpoint(path)
    except (OSError, ValueError) as error:
        if of_the_machine(error):
            raise
        return str(error)
    return None


def _remove_older(path: Path) -> None:
    """Remove the best checkpoints before this one, which a run leaves that ends while it writes the next one."""
    named = STEP.fullmatch(path.name)
    for other in sorted(path.parent.iterdir()) if named else ():
        found = STEP.fullmatch(other.name)
        if named and found and found[1] == named[1] and int(found[2]) < int(named[2]):
            other.unlink()


def checkpoint_files(runner, hook: HostCheckpointHook | None = None) -> tuple[Path, str]:
    """Return the folder of a run's checkpoints, and the pattern of their names."""
    hook = hook or next((hook for hook in runner.hooks if isinstance(hook, HostCheckpointHook)), None)
    given = {} if hook is None else dict(out_dir=hook.out_dir, filename_tmpl=hook.filename_tmpl)
    return planned_files(runner.work_dir, given)


def planned_files(work_dir: str | Path, hook: Mapping) -> tuple[Path, str]:
    """Return folder and pattern as :func:`checkpoint_files`, before there is a runner.

    Args:
        work_dir (str | Path): Of the run.
        hook (Mapping): Arguments of its checkpoint hook.
    """
    out_dir, absolute = hook.get('out_dir'), Path(work_dir).absolute()
    folder = Path(work_dir) if out_dir is None or Path(out_dir).absolute() == absolute else Path(out_dir, absolute.name)
    name = hook.get('filename_tmpl') or ('epoch_{}.pth' if hook.get('by_epoch', True) else 'iter_{}.pth')
    return folder, name.format('*')


def _done(loop: EpochBasedTrainLoop | IterBasedTrainLoop) -> tuple[int, int]:
    """Return how many epochs, or iterations where a run counts them, are done, and how many there are."""
    return (loop.epoch, loop.max_epochs) if isinstance(loop, EpochBasedTrainLoop) else (loop.iter, loop.max_iters)
