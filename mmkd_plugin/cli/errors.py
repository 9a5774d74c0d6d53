"""The one place that turns what went wrong into a sentence and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from types import ModuleType

from mmkd_plugin.failures import lacks_memory

from .signals import Terminated, interruption, termination_raised

__all__ = ['EXIT_CODES', 'fail', 'run_command']

EXIT_CODES = {
    0: 'all went well',
    1: 'something given is wrong, or the command has found a fault; the message says which',
    2: 'the command line is wrong',
    70: 'unexpected: a traceback, please report it',
    129: 'stopped because the terminal has gone (SIGHUP)',
    130: 'stopped by Ctrl-C',
    141: 'whoever read the output has gone',
    143: 'stopped by SIGTERM',
}
# Raised on purpose, with a message for people.
EXPECTED = (ValueError, KeyError, OSError, ImportError, SyntaxError, FloatingPointError)
REPORT = 'error: this is a fault of mmkd_plugin: please report it, with the lines above and what `mmkd --version` prints'


def run_command(module: ModuleType, args: argparse.Namespace) -> int:
    """Run a command; whatever goes wrong ends in a sentence on stderr.

    Args:
        module (ModuleType): Of the command. Its ``run(args)`` returns an exit code, or None for 0. Its ``go_on(args)``, if it
            has one, returns the command line that goes on where this one was stopped.
        args (argparse.Namespace): Its arguments.

    Returns:
        int: Exit code, one of :data:`EXIT_CODES`.
    """
    try:
        with termination_raised(), _threads_in_sentences():
            code = module.run(args) or 0
            sys.stdout.flush()
            return code
    except BrokenPipeError:
        _drop_output()
        return 141
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the end of all of them
        stop = interruption(error)
        if stop:
            go_on = getattr(module, 'go_on', None)
            if os.environ.get('RANK', '0') == '0':  # one sentence for all processes of a run
                with contextlib.suppress(OSError):  # the terminal may have gone
                    print(f'stopped; to go on: {go_on(args)}' if go_on else 'stopped', file=sys.stderr)
            return 128 + stop.number if isinstance(stop, Terminated) else 130
        message = _of_the_device(error) or (_message(error) if isinstance(error, EXPECTED) else '')
        if message:
            if os.environ.get('MMKD_TRACEBACK'):
                traceback.print_exc()
            return fail(f'error: {message}')
        traceback.print_exc()
        print(REPORT, file=sys.stderr)
        return 70


def fail(message: str) -> int:
    """Print a message on stderr and return the exit code of a fault."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_output()
        head = message.removesuffix(str(error))  # which names no file, where the command has met the fault itself
        head = f'{message}\nerror: ' if head == message else head
        message = f'{head}standard output cannot be written: {error.strerror}'
    print(message, file=sys.stderr)
    return 1


def _drop_output() -> None:
    """Let the interpreter, which writes what is left when it ends, write it nowhere, lest it complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _threads_in_sentences() -> Iterator[None]:
    """Say in a sentence that a thread, as TensorBoard's writer, has met a full disk; by default its traceback is printed."""
    before = threading.excepthook

    def say(args) -> None:
        if isinstance(args.exc_value, OSError):
            print(f'warning: a thread of this command has ended: {args.exc_value}', file=sys.stderr)
        else:
            before(args)

    threading.excepthook = say
    try:
        yield
    finally:
        threading.excepthook = before


def _message(error: Exception) -> str:
    """Return what an error says; nothing for a KeyError that holds a key and no sentence, since nobody wrote it for people."""
    if isinstance(error, KeyError):
        return str(error.args[0]) if error.args and ' ' in str(error.args[0]) else ''
    return str(error)


def _of_the_device(error: BaseException) -> str:
    """Return what to do about an error that torch raises because of the device and a setting, and no fault of anybody."""
    said = str(error).partition('. ')[0].partition('\n')[0]
    if 'does not have a deterministic implementation' in said:
        return f'{said}. randomness.deterministic=False allows it; runs then differ in their last digits'
    if lacks_memory(error):
        said = said if 'out of memory' in said else f'memory is short: {said or type(error).__name__}'
        return f'{said}. Smaller batches take less: train_dataloader.batch_size, val_dataloader.batch_size'
    return ''
