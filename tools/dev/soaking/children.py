"""Commands in forks of a process that has imported everything, and what becomes of their processes."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import os
import signal
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mmkd_plugin

__all__ = [
    'Child',
    'adopt_orphans',
    'descendants',
    'end_all',
    'give_up_rights',
    'import_all',
    'remaining',
    'state_of',
]

PR_SET_CHILD_SUBREAPER = 36
WORKER = 'mmkd_plugin.cli.worker'
SIGNALS = (signal.SIGINT, signal.SIGTERM)
PAUSE = 0.01  # seconds between two looks at a process


def import_all() -> None:
    """Import what commands need, once for all forks; no thread is started."""
    from mmkd_plugin.cli.worker import _import_all

    _import_all()
    for name in ('mmkd_plugin.deploy', 'mmkd_plugin.experiments.study', 'onnxruntime', 'onnxscript', 'optuna'):
        with contextlib.suppress(ImportError):
            __import__(name)
    gc.collect()
    gc.freeze()


def adopt_orphans() -> None:
    """Let every process that outlives the command that has started it become a child of this one, where it is seen."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def give_up_rights() -> None:
    """Let this process, which is a fork, write only where the permissions of files let it, even as a superuser."""
    if os.geteuid() == 0:
        header = struct.pack('Ii', 0x20080522, 0)  # version 3 of the call, this process
        if ctypes.CDLL(None, use_errno=True).capset(header, bytes(24)):  # no capabilities
            raise OSError(ctypes.get_errno(), 'capset')


def descendants(process: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    try:
        children = [
            int(child) for task in Path(f'/proc/{process}/task').iterdir() for child in (task / 'children').read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [each for child in children for each in (child, *descendants(child))]


def state_of(process: int) -> str:
    """Return the state of a process as the system writes it, as ``'T'`` of one that was halted; nothing once it has gone."""
    try:
        return Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()[0]
    except (OSError, IndexError):
        return ''


def remaining(seconds: float) -> list[int]:
    """Wait so long at most for all descendants of this process to end, and return those that have not."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        left = descendants(os.getpid())
        if not left or time.monotonic() > end:
            return left
        time.sleep(PAUSE)


def end_all() -> None:
    """End all descendants of this process at once."""
    while left := remaining(0.0):
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(PAUSE)


@dataclass
class Child:
    """A command in a fork of this process.

    Args:
        words (Sequence[str]): After ``mmkd``.
        folder (Path): Where the command is called.
        output (Path): Folder that gets what the command writes to its standard output and standard error.
        out (Path, optional): File for the standard output in the place of that.
        prepare (Callable, optional): Called in the fork before the command.
        hash_seed (int, optional): Of a process of its own that imports everything anew, in the place of a fork.
    """

    words: Sequence[str]
    folder: Path
    output: Path
    out: Path | None = None
    prepare: Callable[[], object] = field(default=lambda: None)
    hash_seed: int | None = None
    code: int | None = None

    def __post_init__(self) -> None:
        self.output.mkdir(parents=True, exist_ok=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # none is for the soak's own handlers in the fork
        self.pid = os.fork()
        if self.pid == 0:
            self._execute()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _execute(self) -> None:
        code = 1
        try:
            os.chdir(self.folder)
            for number, path in ((1, self.out or self.output / 'stdout'), (2, self.output / 'stderr')):
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
                os.dup2(handle, number)
                os.close(handle)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            sys.stdin, sys.stdout, sys.stderr = (open(number, mode, closefd=False) for number, mode in enumerate('rww'))  # noqa: SIM115
            signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background ignores
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            if self.hash_seed is not None:
                env = {
                    **os.environ,
                    'PYTHONHASHSEED': str(self.hash_seed),
                    'PYTHONPATH': str(Path(mmkd_plugin.__path__[0]).parent),
                }
                os.execve(sys.executable, [sys.executable, '-m', 'mmkd_plugin', *self.words], env)
            subprocess.Popen = _popen  # type: ignore[misc, assignment]
            from mmkd_plugin.cli import main

            self.prepare()
            code = main(list(self.words))
        except BaseException:  # noqa: BLE001 - a fork must not go on where its parent would
            traceback.print_exc()
        finally:
            code = _finish(code)
            os._exit(code)

    def poll(self) -> int | None:
        """Return how the command has ended: its exit code, or the number of the signal below 0; None before."""
        if self.code is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def wait(self, seconds: float) -> int | None:
        """Wait so long at most for the end of the command, see :meth:`poll`."""
        end = time.monotonic() + seconds
        while self.poll() is None and time.monotonic() < end:
            time.sleep(PAUSE)
        return self.code

    def kill(self) -> None:
        """End the command and all that it has started, at once."""
        for process in (self.pid, *descendants(self.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.wait(60)

    @property
    def text(self) -> str:
        """What the command has written to standard error."""
        return (self.output / 'stderr').read_text(errors='replace')


def _finish(code: int) -> int:
    """Do what Python does when it ends; return the exit code that it has then."""
    for number in (signal.SIGINT, signal.SIGTERM):  # what had to be kept is
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return 120
    return code


class _Worker:
    """A worker of a sweep in a fork, as much of a Popen as is used: a process of its own would import everything anew."""

    def __init__(self, words: Sequence[str], stderr, env: dict[str, str]) -> None:
        (tasks, self.tasks_end), (self.messages_end, messages) = os.pipe(), os.pipe()
        self.returncode: int | None = None
        sys.stdout.flush()
        # What a handler raises is lost within a callback of the fork; starting a program has none.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self.pid = os.fork()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        if self.pid == 0:
            self._execute(words, tasks, messages, stderr.fileno(), env)
        os.close(tasks)
        os.close(messages)
        self.stdin, self.stdout = open(self.tasks_end, 'wb'), open(self.messages_end, 'rb', 0)  # noqa: SIM115

    def _execute(self, words: Sequence[str], tasks: int, messages: int, errors: int, env: dict[str, str]) -> None:
        code = 1
        try:
            for number, handle in enumerate((tasks, messages, errors)):
                os.dup2(handle, number)
            for handle in (self.tasks_end, self.messages_end):
                os.close(handle)
            os.environ.clear()
            os.environ.update(env)
            sys.argv = list(words)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            from mmkd_plugin.cli.worker import main

            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        except BaseException:  # noqa: BLE001 - a fork must not go on where its parent would
            traceback.print_exc()
        finally:
            os._exit(code)

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
            elif end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(WORKER, timeout or 0)
            else:
                time.sleep(PAUSE)
        return self.returncode

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)


_REAL_POPEN = subprocess.Popen


def _popen(command, *args, **options):
    """Start a process; a worker is forked."""
    if not isinstance(command, str) and list(command)[1:3] == ['-m', WORKER]:
        return _Worker(list(command)[2:], options['stderr'], options['env'])
    return _REAL_POPEN(command, *args, **options)
