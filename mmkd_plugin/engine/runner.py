"""The host's runner with a quiet console."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.runner import Runner as HostRunner
from torch import nn

from mmkd_plugin.compatibility import quiet
from mmkd_plugin.fileio import uninterrupted
from mmkd_plugin.registry import RUNNERS

from .console import show_log_by_reporter
from .hooks.progress_hook import ProgressHook

__all__ = ['Runner']

RUNS = itertools.count(1)


@RUNNERS.register_module()
class Runner(HostRunner):
    """Writes the whole log into the work directory; on the console, the current reporter says how far the run is.

    The host names a run's log and its message hub by the second. The second of two short runs of one process would write into
    the first one's log and go on from its best score, so runs are counted.
    """

    def __init__(self, *args, cfg: Config | None = None, experiment_name: str | None = None, **kwargs) -> None:
        if isinstance(cfg, Config):
            cfg = copy.deepcopy(cfg)
            object.__setattr__(cfg, '__class__', _FormattedOnce)
        stem = Path(getattr(cfg, 'filename', None) or 'run').stem
        super().__init__(*args, cfg=cfg, experiment_name=f'{experiment_name or stem}_{next(RUNS)}', **kwargs)

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """Build the host's logger, and put the reporter in the place of its console."""
        logger = super().build_logger(*args, **kwargs)
        show_log_by_reporter(logger)
        return logger

    def register_hooks(self, *args, **kwargs) -> None:
        """Register the hooks of the config, and the one that reports."""
        super().register_hooks(*args, **kwargs)
        self.register_hook(ProgressHook())

    def train(self) -> nn.Module:
        """Train; an error's traceback goes to the log file, since whoever has started the run may show its message alone."""
        try:
            return super().train()
        except Exception:
            self.logger.error('the run has failed', exc_info=True)
            raise

    def load_or_resume(self) -> None:
        """Load a checkpoint as the host does; what it prints is in the log too."""
        with quiet():
            super().load_or_resume()

    def save_checkpoint(self, *args, **kwargs) -> None:
        """Save a checkpoint; a Ctrl-C meanwhile waits for it."""
        with uninterrupted():
            super().save_checkpoint(*args, **kwargs)


class _FormattedOnce(Config):
    """A config whose text is made again only when the config has changed.

    The host formats the text for every checkpoint, which takes half a second each time.
    """

    @property
    def pretty_text(self) -> str:
        """The config as Python code."""
        content = repr(self._cfg_dict)
        if self.__dict__.get('_formatted', ('', ''))[0] != content:
            object.__setattr__(self, '_formatted', (content, super().pretty_text))
        return self.__dict__['_formatted'][1]
