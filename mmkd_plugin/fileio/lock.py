"""Locks on folders, which say who holds them and end with the process that does."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from .atomic import write_fault

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ['LockedError', 'locked']

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
_HELD: set[int] = set()


class LockedError(OSError):
    """Another process holds the lock."""


@contextlib.contextmanager
def locked(path: str | Path, what: str, say: Callable[[str], object], wait: bool = False) -> Iterator[None]:
    """Hold a lock inside a ``with`` block. The system releases the lock when the process ends, however it ends.

    On a file system that knows no locks, the block runs without one, and a sentence says so.

    Args:
        path (str | Path): Of the lock's file, which is made if it is not there, and stays.
        what (str): What is locked, for messages: ``'the work directory runs/kd'``.
        say (Callable[[str], object]): Called with a sentence where another process is waited for, or where there are no locks.
        wait (bool): Wait for another process; by default its lock is an error.

    Raises:
        LockedError: Another process holds the lock; the message says which, and since when.
        OSError: The lock's file cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise write_fault(error, path) from error
    _HELD.add(handle)
    try:
        _acquire(handle, what, say, wait)
        yield
    finally:
        _HELD.discard(handle)
        os.close(handle)


def _acquire(handle: int, what: str, say: Callable[[str], object], wait: bool) -> None:
    if fcntl is None:
        say(f'{what} cannot be locked on this system: let no other process write there meanwhile')
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise LockedError(f'{what} is in use by {_holder(handle)}') from None
            say(f'waiting for {what}, which is in use by {_holder(handle)}')
            fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        say(f'the file system of {what} has no locks ({error.strerror}): let no other process write there meanwhile')
        return
    facts = dict(process=os.getpid(), host=socket.gethostname(), since=datetime.now().astimezone().isoformat(' ', 'seconds'))
    with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(facts).encode(), 0)


def _holder(handle: int) -> str:
    """Return the process, the machine and the time that the holder of a lock has written into the lock's file."""
    try:
        facts = json.loads(os.pread(handle, 4096, 0))
        return f'process {facts["process"]} on {facts["host"]} since {facts["since"]}'
    except (ValueError, TypeError, KeyError, OSError):  # the holder is about to write
        return 'another process'


def _close_in_child() -> None:
    """Let a forked data worker hold no lock, lest the lock outlive the run."""
    for handle in _HELD:
        os.close(handle)
    _HELD.clear()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_close_in_child)
