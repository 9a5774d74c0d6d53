"""A worker of a sweep: imports everything once, and makes every task in a fork of itself.

A fork starts as the worker was after its imports. No log, message hub, registry scope, random state, thread or cache can pass
from one run to the next, since none is ever in the worker; and a run that crashes takes nothing with it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmkd_plugin.experiments.children import end_with, end_with_parent
from mmkd_plugin.experiments.runs import STOP, Task
from mmkd_plugin.failures import lacks_memory

__all__ = ['main', 'make_task']

Send = Callable[..., None]
INTERVAL = 0.5  # seconds between two messages on how far a run is
FAILED, STOPPED = 1, 143  # exit codes of a fork
# What a run imports when it comes to it, the host's logging and this package's metrics included.
IMPORTED = (
    'matplotlib.figure',
    'mmpretrain.apis',
    'mmpretrain.engine',
    'mmpretrain.visualization',
    'sklearn.metrics',
    'torch.utils.cpp_extension',
    'torch.utils.tensorboard',
    'mmkd_plugin.apis',
    'mmkd_plugin.evaluation',
    'mmkd_plugin.models',
)
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Make the tasks that come as lines of JSON on standard input, and write what happens to standard output likewise."""
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, [int(core) for core in sys.argv[1].split(',')])
    end_with_parent()
    messages = os.dup(1)
    os.dup2(2, 1)  # what anything prints must not get among the messages
    tasks = os.fdopen(os.dup(0), 'r')
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def send(kind: str, **facts: Any) -> None:
        # One write, which a pipe takes as a whole if it is short.
        os.write(messages, json.dumps({'kind': kind, 'facts': facts}).encode() + b'\n')

    _import_all()
    gc.collect()
    gc.freeze()  # pages of what is there now stay shared with the forks
    send('ready')
    _Forks(send).make_all(tasks)


def _import_all() -> None:
    """Import and set up what every run needs; no thread may be started, since a fork has only the one that forks."""
    for name in IMPORTED:
        importlib.import_module(name)
    from numba.core.registry import cpu_target

    cpu_target.target_context.refresh()  # what the first compiled function would do


class _Forks:
    """Makes one task after another, each in a fork that ends with it."""

    def __init__(self, send: Send) -> None:
        self.send, self.child, self.stopped = send, 0, False

    def make_all(self, tasks) -> None:
        """Make the tasks until there are no more, or SIGTERM comes: then the fork may keep what it has."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        worker = os.getpid()
        for line in tasks:
            task = Task(**json.loads(line))
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            self.child = os.fork()
            if self.child == 0:
                _make_and_end(task, worker, self.send)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            _, status = os.waitpid(self.child, 0)
            self.child = 0
            if self.stopped:
                break
            self._report(status)

    def _report(self, status: int) -> None:
        """Say how a fork has ended that could not say so itself."""
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGKILL:
            self.send('failed', reason='killed by SIGKILL, as the system does when memory is short', again=True)
        elif code < 0:
            self.send('failed', reason=f'killed by {signal.Signals(-code).name}', again=True)
        elif code not in (0, FAILED):
            self.send('failed', reason=f'ended with exit code {code}', again=True)

    def _stop(self, number: int, frame: Any) -> None:
        self.stopped = True
        if not self.child:
            sys.exit(STOPPED)
        os.kill(self.child, signal.SIGTERM)


def _make_and_end(task: Task, parent: int, send: Send) -> None:
    """Make a task in this fork, and end it, whatever happens."""
    code = STOPPED
    try:
        end_with(parent)
        code = make_task(task, send) if _redirect(task.log, send) else FAILED
    except BaseException:  # noqa: BLE001 - a fork must not go on where its parent would
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what had to be kept is
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _redirect(log: str, send: Send) -> bool:
    """Append all that this fork writes to a file, also what is not written by Python; say so where that cannot be."""
    from mmkd_plugin.fileio import write_fault

    try:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError as error:
        send('failed', reason=str(write_fault(error, log)), again=True, outside=True)
        return False
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    return True


def make_task(task: Task, send: Send) -> int:
    """Make a task in this process, and say how it goes and ends.

    Args:
        task (Task): A run or a teacher.
        send (Send): Takes the kind of a message and its facts, see :class:`~mmkd_plugin.experiments.launch.Event`.

    Returns:
        int: Exit code.
    """
    from mmkd_plugin.engine import use_reporter
    from mmkd_plugin.fileio import ConfigError

    from .signals import interruption, termination_raised

    try:
        with (
            termination_raised(),
            use_reporter(_reporter(send, None if task.teacher else Path(task.arguments['work_dir'], STOP))),
        ):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            facts = _train_teacher(task) if task.teacher else _train_run(task)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the sweep is told
        stop = interruption(error)
        if isinstance(stop, _Unwanted):
            send('failed', reason='it was told to end', again=True)
            return FAILED
        if stop:
            return STOPPED
        traceback.print_exc()
        send('failed', reason=_reason(error), again=not isinstance(error, ConfigError), outside=_would_meet_others(error))
        return FAILED
    send('finished', **facts)
    return 0


def _would_meet_others(error: BaseException) -> bool:
    """Return whether an error (a disk, a folder, memory of the machine) is none of the settings; that of a device may be."""
    from torch.cuda import OutOfMemoryError

    return isinstance(error, OSError) or (lacks_memory(error) and not isinstance(error, OutOfMemoryError))


def _reason(error: BaseException) -> str:
    """Return how a run has failed, in at most a few lines."""
    kind = 'out of memory' if lacks_memory(error) else type(error).__name__
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return f'{kind}: {message}'[:2000]


def _train_teacher(task: Task) -> dict:
    from mmkd_plugin.apis import load_config, prepare_teacher

    prepare_teacher(load_config(**task.arguments), task.key)
    return {}


def _train_run(task: Task) -> dict:
    """Train a run, or go on with it, and append its record; return its figure on validation."""
    from mmkd_plugin.apis import load_config, train
    from mmkd_plugin.apis.results import result_faults
    from mmkd_plugin.experiments import append_record, finished_keys, record_of, validation_of
    from mmkd_plugin.fileio import locked

    work_dir, recorded = task.arguments['work_dir'], False
    with locked(Path(work_dir, '.turn'), f'the run {task.title}', print, wait=True):  # an earlier try may be about to end
        if result_faults(work_dir):
            train(load_config(**task.arguments, resume=True))
        else:  # an earlier try has ended meanwhile, or was killed between its end and its record
            recorded = task.key in finished_keys(Path(task.records).parent, trials=task.trial is not None)
        record = record_of(work_dir, task.key, task.settings, task.trial)
        if not recorded:
            append_record(record, task.records)
    return {'val': validation_of(record)}


class _Unwanted(KeyboardInterrupt):
    """The run is not needed any more; it leaves a checkpoint, as after a Ctrl-C."""


def _reporter(send: Send, stop: Path | None):
    """Return a reporter that writes lines to the log, and messages to whoever has started the worker.

    Args:
        send (Send): Sends a message.
        stop (Path, optional): A file with which the run is told to end.
    """
    from mmkd_plugin.engine import Reporter

    class Messenger(Reporter):
        """Plain lines, and messages on how far the run is."""

        sent = 0.0

        def begin(self, network: str) -> None:
            super().begin(network)
            self.sent = 0.0

        def step(self, progress) -> None:
            """Say that steps are made, and now and then how many."""
            if not self.sent and self.network in self.networks[-1:]:
                send('training')
            if time.monotonic() - self.sent > INTERVAL:
                self.sent = time.monotonic()
                send('progress', share=progress.share, state=f'epoch {progress.epoch}/{progress.epochs}')

        def epoch(self, progress) -> None:
            """Say that there is a validation, unless nobody needs the run any more."""
            super().epoch(progress)
            if self.network in self.networks[-1:]:
                send('validated')
                if stop is not None and stop.exists():
                    raise _Unwanted

    return Messenger()


if __name__ == '__main__':
    main()
