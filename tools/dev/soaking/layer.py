"""A layer between a process and its files: counts what happens, and lets one of these events be struck by a fault.

The layer is put into a fork by replacing functions of Python's own modules there, and so into what that fork forks; they count
together. What compiled code writes by itself (``ndarray.tofile``, memory maps) is not seen; a small disk sees it.
"""

from __future__ import annotations

import builtins
import errno
import functools
import importlib
import io
import mmap
import os
import pathlib
import signal
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ['STAGES', 'Layer', 'Strike']

# Functions between which a run passes from one stage to the next, and one inside of a step.
STAGES = {
    'stage': (
        'mmkd_plugin.apis.train:prepare_teachers',
        'mmkd_plugin.apis.train:_test',
        'mmkd_plugin.apis.train:_export',
        'mmkd_plugin.apis.once:train_once',
        'mmkd_plugin.apis.cache:verify_caches',
        'mmkd_plugin.engine.runner:Runner.train',
        'mmkd_plugin.engine.hooks.checkpoint_hook:CheckpointHook.after_val_epoch',
        'mmkd_plugin.models.distillers.teacher_cache:TeacherCache.build',
        'mmkd_plugin.datasets.store:_write_part',
        'mmkd_plugin.deploy.export:_finish',
        'mmkd_plugin.deploy.inferencer:SignalInferencer.__call__',
        'mmkd_plugin.deploy.streaming:StreamingInferencer.push',
    ),
    'step': ('mmengine.optim:OptimWrapper.backward', 'mmengine.optim:OptimWrapper.step'),
}
WRITES = {'open', 'write', 'mkdir', 'fsync', 'truncate', 'link'}  # what a full disk refuses
ON_PATHS = {'replace': 1, 'rename': 1, 'link': 1, 'symlink': 1, 'unlink': 0, 'remove': 0, 'rmdir': 0, 'mkdir': 0}
ON_HANDLES = {
    'write': 'write',
    'pwrite': 'write',
    'fsync': 'fsync',
    'fdatasync': 'fsync',
    'ftruncate': 'truncate',
    'posix_fallocate': 'truncate',
}


@dataclass(frozen=True)
class Strike:
    """A fault at an event.

    Attributes:
        event (int): Number of the event, from 1.
        when (str): 'before', 'after', or 'half': in the middle of a write.
        action (str): 'signal', 'full' (no byte can be written from here on), 'halt' (until somebody lets the process go on) or
            'back' (of the clock).
        value (int): Number of the signal, or the seconds that the clock goes back.
        whole (bool): The signal is for the command and not for the process of it that the event is in.
    """

    event: int
    when: str
    action: str
    value: int = 0
    whole: bool = True


class Layer:
    """Counts the events below a folder, writes them down, and strikes.

    Args:
        folder (str | Path): Events elsewhere do not count.
        log (str | Path): File that gets a line for every event: its kind and its path.
        strike (Strike, optional): What happens, and when.
        back (int): Seconds that the clock is back from the beginning.
    """

    def __init__(self, folder: str | Path, log: str | Path, strike: Strike | None = None, back: int = 0) -> None:
        self.folder, self.strike = os.path.realpath(folder), strike
        self.shared = mmap.mmap(-1, 16)  # for all forks: the number of events, and the seconds that the clock is back
        struct.pack_into('qq', self.shared, 0, 0, back)
        self.path, self.log, self.main = log, 0, 0
        self.turn = threading.RLock()
        self.real = {name: getattr(os, name) for name in {*ON_PATHS, *ON_HANDLES, 'open', 'utime', 'kill'}}

    def enter(self) -> None:
        """Put the layer into this process, which is the one of the command."""
        import fcntl

        self.main, self.lockf, self.flags = os.getpid(), fcntl.lockf, (fcntl.LOCK_EX, fcntl.LOCK_UN)
        self.log = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.register_at_fork(after_in_child=self._renew)
        self.opened = builtins.open
        builtins.open = io.open = self._open  # type: ignore[assignment]
        os.open = self._os_open  # type: ignore[assignment]
        for name, position in ON_PATHS.items():
            self._wrap_path(name, position)
        for name, kind in ON_HANDLES.items():
            self._wrap_handle(name, kind)
        for kind, names in STAGES.items():
            for name in names:
                self._wrap_function(kind, name)
        for name in ('time', 'time_ns'):
            self._wrap_clock(name)
        for name in ('localtime', 'gmtime'):
            self._wrap_calendar(name)

    def _renew(self) -> None:
        self.turn = threading.RLock()

    def _event(self, kind: str, path: str, call: Callable[[], Any], halves: Sequence[Callable[[], int]] = ()) -> Any:
        """Let something happen, as an event; what lies outside of the folder happens without one."""
        if not path.startswith(self.folder):
            return call()
        name = os.path.relpath(path, self.folder)
        with self.turn:  # of this process; the lock is for the others
            try:
                self.lockf(self.log, self.flags[0])
                number = self.count + 1
                struct.pack_into('q', self.shared, 0, number)
                self.real['write'](self.log, f'{kind} {name}\n'.encode())
            finally:
                self.lockf(self.log, self.flags[1])
        self._meet(number, 'before', kind)
        if halves and self._is_at(number, 'half'):
            written = halves[0]()
            self._meet(number, 'half', kind)
            result = written + halves[1]()
        else:
            result = call()
        if kind in ('replace', 'rename') and self._back:
            times = os.lstat(path)  # of a link itself: what optuna locks by is one that leads nowhere
            self.real['utime'](path, (times.st_atime - self._back, times.st_mtime - self._back), follow_symlinks=False)
        self._meet(number, 'after', kind)
        return result

    def _is_at(self, number: int, when: str) -> bool:
        return self.strike is not None and (self.strike.event, self.strike.when) == (number, when)

    def _meet(self, number: int, when: str, kind: str) -> None:
        strike = self.strike
        if strike is None:
            return
        halved = number == strike.event and strike.when == 'half' and when == 'before'  # half of this write is made
        if strike.action == 'full' and when != 'after' and number >= strike.event and kind in WRITES and not halved:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if not self._is_at(number, when):
            return
        if strike.action == 'signal':
            self.real['kill'](self.main if strike.whole else os.getpid(), strike.value)
            if strike.value == signal.SIGKILL and strike.whole:
                time.sleep(5)  # the process of the command may be another one: this one must not get further
        elif strike.action == 'halt':
            self.real['kill'](os.getpid(), signal.SIGSTOP)
        elif strike.action == 'back':
            struct.pack_into('q', self.shared, 8, strike.value)

    @property
    def count(self) -> int:
        """Number of events up to now."""
        return struct.unpack_from('q', self.shared)[0]

    @property
    def _back(self) -> int:
        return struct.unpack_from('q', self.shared, 8)[0]

    def _open(self, file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
        """Open a file as Python does, whose writes are events if it is open for writing."""
        path = self._path_of(file)
        if not set(mode) & set('wax+') or not path.startswith(self.folder):
            return self.opened(file, mode, buffering, encoding, errors, newline, closefd, opener)
        plain = mode.replace('b', '').replace('t', '')
        raw = self._event('open', path, lambda: _Watched(self, path, file, plain, closefd, opener))
        if buffering == 0:
            return raw
        kind = io.BufferedRandom if '+' in mode else io.BufferedWriter
        buffer = kind(raw) if buffering in (-1, 1) else kind(raw, buffering)
        if 'b' in mode:
            return buffer
        text = io.TextIOWrapper(buffer, encoding, errors, newline, line_buffering=buffering == 1)
        text.mode = mode  # type: ignore[misc]
        return text

    def _os_open(self, path, flags, mode=0o777, *, dir_fd=None):
        def call():
            return self.real['open'](path, flags, mode, dir_fd=dir_fd)

        if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return call()
        return self._event('open', self._path_of(path, dir_fd), call)

    def _path_of(self, file, dir_fd: int | None = None) -> str:
        """Return the absolute path of a file, of which a path or a number is given."""
        try:
            if isinstance(file, int):
                return os.readlink(f'/proc/self/fd/{file}')
            base = os.getcwd() if dir_fd is None else os.readlink(f'/proc/self/fd/{dir_fd}')
            return os.path.join(os.path.realpath(base), os.fsdecode(os.fspath(file)))
        except (OSError, TypeError):
            return ''

    def _wrap_path(self, name: str, position: int) -> None:
        real = self.real[name]

        @functools.wraps(real)
        def call(*args, **options):
            base = options.get('dir_fd', options.get('dst_dir_fd'))
            return self._event(name, self._path_of(args[position], base), lambda: real(*args, **options))

        setattr(os, name, call)
        accessor = getattr(pathlib, '_NormalAccessor', None)  # of Python 3.10, which keeps the functions themselves
        if accessor is not None and hasattr(accessor, name):
            setattr(accessor, name, staticmethod(call))

    def _wrap_handle(self, name: str, kind: str) -> None:
        real = self.real[name]

        @functools.wraps(real)
        def call(handle, *args):
            number = handle if isinstance(handle, int) else handle.fileno()
            halves = _halves(functools.partial(real, number), args[0]) if name == 'write' else ()
            return self._event(kind, self._path_of(number), lambda: real(number, *args), halves)

        setattr(os, name, call)

    def _wrap_function(self, kind: str, name: str) -> None:
        module, _, attributes = name.partition(':')
        *owners, last = attributes.split('.')
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        real = getattr(owner, last)
        place = os.path.join(self.folder, attributes)

        @functools.wraps(real)
        def call(*args, **options):
            return self._event(kind, place, lambda: real(*args, **options))

        setattr(owner, last, call)

    def _wrap_clock(self, name: str) -> None:
        real, unit = getattr(time, name), 10**9 if name.endswith('ns') else 1
        setattr(time, name, functools.wraps(real)(lambda: real() - self._back * unit))

    def _wrap_calendar(self, name: str) -> None:
        real = getattr(time, name)
        setattr(time, name, functools.wraps(real)(lambda seconds=None: real(time.time() if seconds is None else seconds)))


def _halves(write: Callable[[Any], int], content) -> list[Callable[[], int]]:
    """Return what writes the first half of bytes, and what writes the rest."""
    middle = len(content) // 2
    return [functools.partial(write, part) for part in (content[:middle], content[middle:])]


class _Watched(io.FileIO):
    """An open file whose writes are events."""

    def __init__(self, layer: Layer, path: str, file, mode: str, closefd: bool, opener) -> None:
        self.layer, self.path = layer, path
        super().__init__(file, mode, closefd, opener)

    def write(self, data) -> int:
        """Write bytes."""
        plain = super().write
        content = memoryview(data).cast('B')
        return self.layer._event('write', self.path, lambda: plain(content), _halves(plain, content))

    def truncate(self, size=None) -> int:
        """Cut the file."""
        plain = super().truncate
        return self.layer._event('truncate', self.path, lambda: plain(size))
