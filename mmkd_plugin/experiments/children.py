"""Processes that end with the one that has started them, and get the time to keep what they have done."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

__all__ = ['GRACE', 'PARENT', 'end_with', 'end_with_parent']

PARENT = 'MMKD_PARENT'  # environment variable: the process to end with
GRACE = 20.0  # seconds in which a process that was asked to end may write a checkpoint
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Let the system send SIGTERM to this process when the one that has started it ends, even by SIGKILL."""
    parent = os.environ.pop(PARENT, None)
    if parent is not None:
        end_with(int(parent))


def end_with(parent: int) -> None:
    """Let the system send SIGTERM to this process when its parent ends.

    Args:
        parent (int): The process that has started or forked this one; it may have ended already.
    """
    if not sys.platform.startswith('linux'):  # elsewhere only an end by a signal or an error is passed on
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it has ended before
        os.kill(os.getpid(), signal.SIGTERM)
