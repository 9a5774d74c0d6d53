"""A file backend that writes to a temporary name and renames, so that a killed run leaves no half-written checkpoint."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

__all__ = ['AtomicBackend', 'remove_leftovers', 'uninterrupted', 'write_atomically']


def write_atomically(data: bytes, path: str | os.PathLike) -> None:
    """Write a file under a temporary name beside it, then rename it: readers see the old file or the new one, whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: str | os.PathLike) -> list[Path]:
    """Remove the temporary files of writes that were killed; return those that were removed.

    Args:
        folder (str | os.PathLike): Folder of one run. A file of a process that lives on this machine is left alone.
    """
    removed = []
    for path in Path(folder).glob('.*.tmp'):
        process = path.suffixes[-2][1:] if len(path.suffixes) > 1 else ''
        if process.isdecimal() and not _lives(int(process)):
            path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


@register_backend('atomic')
class AtomicBackend(LocalBackend):
    """mmengine's local backend with writes that are whole or absent; use it as ``backend_args=dict(backend='atomic')``."""

    def put(self, obj: bytes, filepath: str | os.PathLike) -> None:
        """Write bytes to a file."""
        write_atomically(obj, filepath)

    def put_text(self, obj: str, filepath: str | os.PathLike, encoding: str = 'utf-8') -> None:
        """Write text to a file."""
        write_atomically(obj.encode(encoding), filepath)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait for the end of a ``with`` block: torch aborts the process if one comes while it saves."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.signal(number, lambda number, frame: pending.append(number)) for number in signals}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if pending:
            os.kill(os.getpid(), pending[0])
