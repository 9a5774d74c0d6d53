"""Signals that stop a command, and waits that nothing else would end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from mmkd_plugin.failures import time_limit

__all__ = ['Terminated', 'interruption', 'termination_raised']

AGAIN, PATIENCE = 0.05, 10.0  # seconds after which a signal comes again, and for which imports may put it off
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
    """Let SIGTERM and SIGHUP unwind this process as Ctrl-C does: locks are released and half-written files removed.

    None of the three is without effect: see :class:`_Stops`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stops = _Stops()
    hangups = [signal.SIGHUP] if hasattr(signal, 'SIGHUP') else []  # not on Windows
    # A SIGHUP that nohup has switched off stays so, and the Ctrl-C of a background.
    signals = [signal.SIGTERM, *(number for number in hangups if signal.getsignal(number) is not signal.SIG_IGN)]
    signals += [signal.SIGINT] if signal.getsignal(signal.SIGINT) is signal.default_int_handler else []
    before, hook = {number: signal.signal(number, stops) for number in signals}, sys.unraisablehook
    sys.unraisablehook = stops.after_drop
    try:
        with _starts_limited():
            yield
    finally:
        stops.forget()
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stops:
    """Raises a signal where the process is, or a little later if it would have no effect there.

    Compiled modules clear what is raised while they are imported, as SciPy's, and Python drops what is raised in a callback or
    while an object goes: the command would go on as if nobody had stopped it.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._imports = _imports(sys._getframe())
        self._hook = sys.unraisablehook
        self._patience = PATIENCE
        self._forget: Callable[[], object] = lambda: None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # a forked worker ends at once, as without this handler
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif self._patience > 0 and _imports(frame) > self._imports and self._put_off(number):
            self._patience -= AGAIN
        else:
            self.forget()
            raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)

    def after_drop(self, args) -> None:
        """Take the place of ``sys.unraisablehook``."""
        stop = args.exc_value
        if not isinstance(stop, KeyboardInterrupt) or os.getpid() != self._process:
            self._hook(args)
        else:
            self._put_off(stop.number if isinstance(stop, Terminated) else signal.SIGINT)

    def forget(self) -> None:
        """Let no signal come again."""
        self._forget()
        self._forget = lambda: None

    def _put_off(self, number: int) -> bool:
        """Let a signal come again, unless it is another one while one waits, or a limit of time is set."""
        if not hasattr(signal, 'setitimer') or signal.getitimer(signal.ITIMER_REAL)[0]:  # not on Windows
            return False

        def again(_: int, frame: FrameType | None) -> None:
            self.forget()
            self(number, frame)

        before = signal.signal(signal.SIGALRM, again)

        def forget() -> None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

        self._forget = forget
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        return True


def _imports(frame: FrameType | None) -> int:
    """Count the frames of imports that a frame is within."""
    count = 0
    while frame is not None:
        count += frame.f_code.co_filename == '<frozen importlib._bootstrap>'
        frame = frame.f_back
    return count


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
