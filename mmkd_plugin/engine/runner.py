"""The host's runner with a quiet console, and checkpoints that cannot run code."""

from __future__ import annotations

import contextlib
import copy
import itertools
import logging
import re
import sys
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import barrier, broadcast_object_list, is_main_process
from mmengine.logging import MMLogger
from mmengine.runner import BaseLoop
from mmengine.runner import Runner as HostRunner
from torch import nn

from mmkd_plugin.compatibility import quiet
from mmkd_plugin.failures import uninterrupted
from mmkd_plugin.fileio import (
    format_config,
    newest_checkpoint,
    remove_leftovers,
    safe_loading,
    write_atomically,
    write_fault,
)
from mmkd_plugin.registry import RUNNERS

from .console import show_log_by_reporter
from .hooks.checkpoint_hook import checkpoint_files
from .hooks.interruption_hook import INTERRUPTED, InterruptionHook
from .hooks.progress_hook import ProgressHook
from .hooks.protocol import distiller_of
from .loops import EpochLoop, IterLoop
from .precision import use_whole_float32

__all__ = ['Runner']

RUNS = itertools.count(1)
TIME = '%Y%m%d_%H%M%S'  # in the names of the host's logs


@RUNNERS.register_module()
class Runner(HostRunner):
    """Writes the whole log into the work directory; on the console, the current reporter says how far the run is.

    The host names a run's log and its message hub by the second. The second of two short runs of one process would write into
    the first one's log and go on from its best score, so runs are counted.
    """

    _kept = 0  # iterations that the newest checkpoint holds

    def __init__(self, *args, cfg: Config | None = None, experiment_name: str | None = None, **kwargs) -> None:
        if isinstance(cfg, Config):
            cfg = copy.deepcopy(cfg)
            object.__setattr__(cfg, '__class__', _PlainText)
        stem = Path(getattr(cfg, 'filename', None) or 'run').stem
        super().__init__(*args, cfg=cfg, experiment_name=f'{experiment_name or stem}_{next(RUNS)}', **kwargs)

    def set_randomness(self, *args, **kwargs) -> None:
        """Set the seed and whether operations are deterministic as the host does, and let float32 be float32 on a GPU, too."""
        use_whole_float32()
        super().set_randomness(*args, **kwargs)

    def setup_env(self, env_cfg: dict) -> None:
        """Set up the process as the host does, and name the log after a time later than that of every log before.

        Logs are read in the order of their names, and a clock may go back, or two runs may start within a second.
        """
        super().setup_env(env_cfg)
        names = [path.name for path in sorted(Path(self.work_dir).iterdir()) if re.fullmatch(r'\d{8}_\d{6}', path.name)]
        newest, name = max(names, default=''), [str(self.timestamp)]
        with contextlib.suppress(ValueError, OverflowError):  # a folder of somebody's own
            if name[0] <= newest:
                name = [(datetime.strptime(newest, TIME) + timedelta(seconds=1)).strftime(TIME)]
        broadcast_object_list(name)  # the first process may have made its folder by now
        self._timestamp = name[0]

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """Build the host's logger, and put the reporter in the place of its console."""
        logger = super().build_logger(*args, **kwargs)
        show_log_by_reporter(logger)
        for handler in logger.handlers:
            if isinstance(handler, logging.FileHandler):
                handler.handleError = partial(_raise_write_fault, handler)  # type: ignore[method-assign]
        return logger

    def register_hooks(self, *args, **kwargs) -> None:
        """Register the hooks of the config, the one that keeps the place within an epoch, and the one that reports."""
        super().register_hooks(*args, **kwargs)
        self.register_hook(InterruptionHook())
        self.register_hook(ProgressHook())

    def build_train_loop(self, loop: BaseLoop | dict) -> BaseLoop:
        """Build the loop; the host's own two are exchanged for ones that can stop within an epoch."""
        if isinstance(loop, dict) and 'by_epoch' in loop:
            kind = 'EpochLoop' if loop['by_epoch'] else 'IterLoop'
            loop = {**{key: value for key, value in loop.items() if key != 'by_epoch'}, 'type': f'mmkd_plugin.{kind}'}
        return self._ask_streams(super().build_train_loop(loop))

    def build_val_loop(self, loop: BaseLoop | dict) -> BaseLoop:
        """Build the loop."""
        return self._ask_streams(super().build_val_loop(loop))

    def build_test_loop(self, loop: BaseLoop | dict) -> BaseLoop:
        """Build the loop."""
        return self._ask_streams(super().build_test_loop(loop))

    def _ask_streams(self, loop: BaseLoop) -> BaseLoop:
        """Let the windows of a loop bring along the streams that some network of the model reads, and no others."""
        model, ask = distiller_of(self), getattr(loop.dataloader.dataset, 'ask_streams', None)
        if model is not None and ask:
            ask(model.streams)
        return loop

    def train(self) -> nn.Module:
        """Train; an error's traceback goes to the log file, since whoever has started the run may show its message alone.

        A run that Ctrl-C or SIGTERM stops leaves a checkpoint of where it was.
        """
        try:
            return super().train()
        except KeyboardInterrupt:
            with uninterrupted():
                self._keep_interrupted()
            raise
        except Exception:
            with contextlib.suppress(OSError):  # the disk may be full
                self.logger.error('the run has failed', exc_info=True)
            raise

    def _keep_interrupted(self) -> None:
        """Write a checkpoint of the last whole iteration, unless there is one of it."""
        loop = self._train_loop
        if not (isinstance(loop, (EpochLoop, IterLoop)) and is_main_process()) or loop.iter == self._kept:
            return
        gathering = getattr(self.optim_wrapper, '_accumulative_counts', 1) > 1  # gradients are in no checkpoint
        if not loop.whole or gathering:
            self.logger.info(f'stopped after {loop.iter} iterations, which begin anew after the newest checkpoint')
            return
        folder, _ = checkpoint_files(self)
        meta = dict(epoch=loop.epoch, iter=loop.iter, batches=loop.batches)
        try:
            self.save_checkpoint(str(folder), INTERRUPTED, meta=meta, backend_args=dict(backend='atomic'))
            write_atomically(str(folder / INTERRUPTED).encode(), Path(self.work_dir, 'last_checkpoint'))
        except OSError as error:
            self.logger.warning(f'stopped after {loop.iter} iterations, which begin anew after the newest checkpoint: {error}')
            return
        self.logger.info(f'stopped after {loop.iter} iterations; the run can go on from {folder / INTERRUPTED}')

    def load_or_resume(self) -> None:
        """Load a checkpoint, or resume from the newest one that is whole; what the host prints is in the log too.

        Raises:
            ValueError: ``last_checkpoint`` in the work directory names a URL or a file of another folder.
        """
        with quiet():
            if self._resume and self._load_from is None and not self._has_loaded:
                self._resume_newest()
            else:
                super().load_or_resume()
        barrier()  # no process may look for the newest one while the first already writes
        removed = remove_leftovers(self.work_dir) if is_main_process() else []
        if removed:
            self.logger.info(f'{len(removed)} file(s) of a write that was killed are removed from {self.work_dir}')

    def _resume_newest(self) -> None:
        path = newest_checkpoint(self.work_dir, *checkpoint_files(self), self.logger.warning)
        if path is not None:
            self.logger.info(f'going on from {path}')
            self.resume(str(path))

    def load_checkpoint(self, filename: str, *args, **kwargs) -> dict:
        """Load a file into the model; nothing in the file is executed.

        The host would fall back to an unsafe reader, and its ``resume`` runs a config that a checkpoint holds as Python.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is damaged or not safe, or is none: nothing is fetched.
        """
        if '://' in str(filename):
            raise ValueError(f'{filename} is not fetched; download the checkpoint, and give its path')
        with safe_loading():
            checkpoint = super().load_checkpoint(str(filename), *args, **kwargs)
        meta = checkpoint.get('meta')
        if isinstance(meta, dict):
            meta.pop('config', None)
        return checkpoint

    def resume(self, filename: str, *args, **kwargs) -> None:
        """Resume from a checkpoint, which holds all that was done."""
        super().resume(filename, *args, **kwargs)
        self._kept = self.train_loop.iter

    def save_checkpoint(self, out_dir: str, filename: str, *args, **kwargs) -> None:
        """Save a checkpoint; a Ctrl-C meanwhile waits for it."""
        with uninterrupted():
            super().save_checkpoint(out_dir, filename, *args, **kwargs)
            if filename.startswith('best_'):
                return
            self._kept = self.iter
            if filename != INTERRUPTED and is_main_process():
                Path(out_dir, INTERRUPTED).unlink(missing_ok=True)  # the run has gone on


def _raise_write_fault(handler: logging.FileHandler, record: logging.LogRecord) -> None:
    """Let a log that cannot be written end the run; by default, logging prints a traceback for every line."""
    error = sys.exc_info()[1]
    raise write_fault(error, handler.baseFilename) if isinstance(error, OSError) else error or RuntimeError(record.msg)


class _PlainText(Config):
    """A config whose text is quickly made: the host asks for it when a run begins, and for every checkpoint."""

    @property
    def pretty_text(self) -> str:
        """The config as Python code."""
        return format_config(self.to_dict())
