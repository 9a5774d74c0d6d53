"""A file backend that writes to a temporary name and renames, so that a killed run leaves no half-written checkpoint."""

from __future__ import annotations

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

__all__ = ['AtomicBackend', 'write_atomically']


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


@register_backend('atomic')
class AtomicBackend(LocalBackend):
    """mmengine's local backend with writes that are whole or absent; use it as ``backend_args=dict(backend='atomic')``."""

    def put(self, obj: bytes, filepath: str | os.PathLike) -> None:
        """Write bytes to a file."""
        write_atomically(obj, filepath)

    def put_text(self, obj: str, filepath: str | os.PathLike, encoding: str = 'utf-8') -> None:
        """Write text to a file."""
        write_atomically(obj.encode(encoding), filepath)
