"""Signals that stop a command, and waits that nothing else would end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

from mmkd_plugin.failures import time_limit

__all__ = ['Terminated', 'interruption', 'termination_raised']

BEGIN = 10.0  # seconds that a thread may take to begin, which takes less than one of a thousand


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP, raised where the process was.

    Attributes:
        number (int): Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """Return the Ctrl-C or SIGTERM behind an error: the host catches everything in places and raises an error of its own."""
    seen: set[int] = set()  # nothing forbids an error to be its own cause
    while error is not None and not isinstance(error, KeyboardInterrupt):
        seen.add(id(error))
        error = error.__cause__ or error.__context__
        if id(error) in seen:
            return None
    return error


@contextlib.contextmanager
def termination_raised() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind this process as Ctrl-C does: locks are released and half-written files removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    process = os.getpid()

    def stop(number, frame) -> None:
        if os.getpid() != process:  # a forked worker ends at once, as without this handler
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        raise Terminated(number)

    # A SIGHUP that nohup has switched off stays so.
    hangups = [signal.SIGHUP] if hasattr(signal, 'SIGHUP') else []  # not on Windows
    signals = [signal.SIGTERM, *(number for number in hangups if signal.getsignal(number) is not signal.SIG_IGN)]
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        with _dropped_stops_again(), _starts_limited():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _dropped_stops_again() -> Iterator[None]:
    """Let a Ctrl-C or SIGTERM come again that was raised where Python drops errors: in a callback, or while an object goes.

    Imports have such callbacks, and the command went on as if nobody had stopped it.
    """
    before, process = sys.unraisablehook, os.getpid()

    def send_again(args) -> None:
        stop = args.exc_value
        if not isinstance(stop, KeyboardInterrupt) or os.getpid() != process:
            before(args)
            return
        number = stop.number if isinstance(stop, Terminated) else signal.SIGINT
        again = threading.Timer(0.01, _send_to_main, [number])  # not from here, where it would be dropped again
        again.daemon = True
        again.start()

    sys.unraisablehook = send_again
    try:
        yield
    finally:
        sys.unraisablehook = before


def _send_to_main(number: int) -> None:
    if hasattr(signal, 'pthread_kill'):  # wakes a call that waits; not on Windows
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


@contextlib.contextmanager
def _starts_limited() -> Iterator[None]:
    """Let it be an error where a thread has no memory to begin: Python waits for it for ever.

    github.com/python/cpython/issues/140746. Only where a process may take so much memory and no more; elsewhere the system ends
    it.
    """
    try:
        import resource
    except ImportError:  # not on Windows
        yield
        return
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        yield
        return
    start = threading.Thread.start

    def begin(thread: threading.Thread) -> None:
        with time_limit(BEGIN, MemoryError(f'a thread has not begun within {BEGIN:g} s')):
            start(thread)

    threading.Thread.start = begin  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]
