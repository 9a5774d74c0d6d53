"""Which lines of the host's log a user sees; all of them are in the log file."""

from __future__ import annotations

import logging
import sys
from types import FrameType
from typing import TextIO

from mmengine.logging import MMLogger
from mmengine.logging.logger import FilterDuplicateWarning, MMFormatter

from .progress import current_reporter

__all__ = ['ConsoleHandler', 'show_log_by_reporter']

HOST = ('mmengine', 'mmcv', 'mmpretrain')
# Warnings of the host that ask for nothing that a user could do.
NOISE = ('will be deprecated in future', 'deprecated in the future')


class ConsoleHandler(logging.Handler):
    """Hands to the reporter what this package or a user's module logs, and warnings; the rest of the host's log it does not."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(FilterDuplicateWarning())

    @property
    def stream(self) -> TextIO:
        """Where the reporter writes: the host's writer into MLflow asks every handler of the log whether that is open."""
        return sys.stderr

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record, or leave it to the log file."""
        text = record.getMessage()
        if record.exc_info:  # the error itself reaches whoever has started the run
            return
        if getattr(record, 'file_only', False):
            return
        if record.levelno >= logging.WARNING:
            if not any(noise in text for noise in NOISE):
                current_reporter().warn(text)
        elif _origin() not in HOST:
            current_reporter().write(text)


def _origin() -> str:
    """Return the package whose code logs: the first caller that is no part of logging.

    The record does not say it, since the host's ``print_log`` would be the caller of everything that goes through it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get('__name__', '')
        if name != __name__ and name.partition('.')[0] != 'logging' and not name.startswith('mmengine.logging'):
            return name.partition('.')[0]
        frame = frame.f_back
    return ''


def show_log_by_reporter(logger: MMLogger) -> None:
    """Put the reporter in the place of a logger's console; a verbose one leaves it, without colours. Files stay as they are."""
    if current_reporter().verbose:
        for handler in filter(_is_console, logger.handlers):  # a command prints no escape sequence, so no colours either
            handler.setFormatter(MMFormatter(color=False, datefmt='%m/%d %H:%M:%S'))
        return
    # A handler of an earlier run goes, too: it would hide a warning that the earlier run has given.
    before = [handler for handler in logger.handlers if _is_console(handler) or isinstance(handler, ConsoleHandler)]
    level = [handler.level for handler in before]
    logger.handlers = [handler for handler in logger.handlers if handler not in before]
    if level:
        console = ConsoleHandler()
        console.setLevel(min(level))  # processes other than the first show errors alone
        logger.addHandler(console)


def _is_console(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler)
