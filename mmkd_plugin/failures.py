"""Failures: what is of the machine and not of a file, errors of libraries in the words of this one, limits of time, signals."""

from __future__ import annotations

import contextlib
import errno
import re
import signal
import threading
from collections.abc import Iterator

__all__ = ['lacks_memory', 'of_the_machine', 'reason_of', 'reworded', 'time_limit', 'uninterrupted']

# What the system says of a file that is not what it should be; anything else that it says is of the machine.
OF_A_FILE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EOVERFLOW, errno.ENAMETOOLONG, errno.ELOOP}
# How Python, torch, oneDNN, onnxruntime and the system say that memory is short.
NO_MEMORY = re.compile(
    "out of memory|can(no|')t allocate memory|failed to allocate memory|bad_?alloc|could not create a primitive"
    "|can't start new thread|failed to map segment from shared object",
    re.IGNORECASE,
)


def lacks_memory(error: BaseException) -> bool:
    """Return whether an error says that memory is short: packages raise kinds of their own for that."""
    return isinstance(error, MemoryError) or (not isinstance(error, ValueError) and NO_MEMORY.search(str(error)) is not None)


def of_the_machine(error: BaseException) -> bool:
    """Return whether an error is of the machine (memory, open files, rights, a disk) and says nothing of what was read."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno not in OF_A_FILE
    return lacks_memory(error)


def reason_of(error: BaseException, named: bool = False) -> str:
    """Return the first line of an error, with the name of its kind before it if asked for, or if it says nothing."""
    said, kind = str(error).partition('\n')[0].strip(), type(error).__name__
    return f'{kind}: {said}' if said and named else said or kind


@contextlib.contextmanager
def reworded(
    message: str,
    kinds: type[Exception] | tuple[type[Exception], ...] = Exception,
    passing: type[Exception] | tuple[type[Exception], ...] = (),
    to: type[Exception] = ValueError,
    named: bool = False,
) -> Iterator[None]:
    """Raise an error of this package in the place of whatever a ``with`` block raises over a file, or in the code of others.

    Errors of the machine are passed on: they say nothing of the file.

    Args:
        message (str): Of the error, before the reason.
        kinds (type | tuple[type]): Of errors that are replaced.
        passing (type | tuple[type]): Of those among them that are passed on.
        to (type): Of the error in their place.
        named (bool): Tell the kind of the first error, as of code that is not this package's.
    """
    try:
        yield
    except passing:
        raise
    except kinds as error:
        if of_the_machine(error):
            raise
        raise to(f'{message}: {reason_of(error, named)}') from error


@contextlib.contextmanager
def time_limit(seconds: float, error: BaseException) -> Iterator[None]:
    """Raise an error within a ``with`` block that takes too long, in the main thread of systems that have SIGALRM.

    Args:
        seconds (float): That it may take.
        error (BaseException): To be raised; compiled code ends before it is.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, 'setitimer'):
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise error

    before = signal.signal(signal.SIGALRM, stop)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP wait for the end of a ``with`` block.

    Compiled code aborts if one comes at the wrong moment: torch while it saves, onnx while it is imported.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    signals = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, 'SIGHUP') else [])]  # not on Windows
    handlers = {number: signal.signal(number, lambda number, frame: pending.append(number)) for number in signals}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if pending:
            signal.raise_signal(pending[0])
