"""A file backend that writes to a temporary name and renames, so that a killed run leaves no half-written checkpoint."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from mmengine.fileio import LocalBackend, register_backend

__all__ = ['AtomicBackend', 'remove_leftovers', 'write_atomically', 'write_fault', 'write_together']


def write_atomically(data: bytes | Callable[[BinaryIO], object], path: str | os.PathLike) -> None:
    """Write a file under a temporary name beside it, then rename it: readers see the old file or the new one, whole.

    Args:
        data (bytes | Callable): Content, or a function that writes the content into an open file.
        path (str | os.PathLike): Of the file; its folder is made if it is not there.

    Raises:
        OSError: The file cannot be written; the message says why, and how much room is left. The old file stays.
    """
    write_together({Path(path): data})


def write_together(files: Mapping[Path, bytes | Callable[[BinaryIO], object]]) -> None:
    """Write files that belong together: none gets its name before all are written, so that a full disk leaves no half of them.

    Args:
        files (Mapping[Path, bytes | Callable]): Content by path as of :func:`write_atomically`, in the order of renaming.

    Raises:
        OSError: A file cannot be written; the message says why, and how much room is left. All old files stay.
    """
    temporary = {path: path.with_name(f'.{path.name}.{os.getpid()}.tmp') for path in files}
    path = Path()
    try:
        try:
            for path, data in files.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                remove_leftovers(path.parent, path.name)
                temporary[path].unlink(missing_ok=True)  # a link that was planted by this name is not followed
                with open(temporary[path], 'xb') as file:
                    if isinstance(data, bytes):
                        file.write(data)
                    else:
                        data(file)
                    file.flush()
                    os.fsync(file.fileno())  # a name must not come to stand for content that a crash has lost
            for path in files:
                os.replace(temporary[path], path)
        finally:
            for leftover in temporary.values():
                leftover.unlink(missing_ok=True)
    except OSError as error:
        raise write_fault(error, path) from error


def write_fault(error: OSError, path: str | os.PathLike) -> OSError:
    """Return the error of a write as one for people: with the path, the reason, and the room where there is too little.

    Args:
        error (OSError): As the system has raised it.
        path (str | os.PathLike): What was to be written.
    """
    if isinstance(error, _WriteError):
        return _WriteError(*error.args)  # another one: an error that is its own cause has no end
    text = error.strerror or str(error)
    file = next((folder for folder in Path(path).absolute().parents if os.path.isfile(folder)), None)
    if file is not None:
        text = f'{file} is a file, expected a folder'
    elif error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR):
        folder = next(folder for folder in Path(path).absolute().parents if os.path.isdir(folder))
        with contextlib.suppress(OSError):
            text += f'; {shutil.disk_usage(folder).free / 2**20:,.1f} MiB are free in {folder}'
    return _WriteError(error.errno, f'{path} cannot be written: {text}')


class _WriteError(OSError):
    """A write that has failed, in a sentence."""

    def __str__(self) -> str:
        return str(self.args[1])


def remove_leftovers(folder: str | os.PathLike, name: str | None = None) -> list[Path]:
    """Remove the temporary files of writes that were killed; return those that were removed.

    Args:
        folder (str | os.PathLike): Folder of one run. A file of a process that lives on this machine is left alone.
        name (str, optional): Of the file that was to be written; every file of the folder by default.
    """
    removed = []
    for path in sorted(Path(folder).glob(f'.{"*" if name is None else glob.escape(name)}.*.tmp')):
        process = path.suffixes[-2][1:] if len(path.suffixes) > 1 else ''
        if process.isdecimal() and not _lives(int(process)):
            path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def _lives(process: int) -> bool:
    if os.name == 'nt':  # where the signal 0 ends a process
        return True
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
