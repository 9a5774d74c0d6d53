"""Processes of their own that have imported everything already: forks of the process of the tests."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from subprocess import CompletedProcess, Popen

import torch


def can_fork() -> bool:
    """Return whether a fork can do what a process can: where there is a GPU, a backward pass has started threads for it."""
    return not torch.cuda.is_available()


def execute(code: str, words: list[str]) -> None:
    """Run a program in this fork as Python would, and end the fork.

    Args:
        code (str): The program.
        words (list[str]): Its ``sys.argv``.
    """
    status = 1
    try:
        sys.argv = words
        sys.stdin, sys.stdout, sys.stderr = (open(number, mode, closefd=False) for number, mode in enumerate('rww'))  # noqa: SIM115
        exec(compile(code, words[0], 'exec'), {'__name__': '__main__'})
        status = 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def start_program(code: str, *words: object, cwd: object = None) -> Callable[[], CompletedProcess]:
    """Start a Python program in another process, a fork where that is possible.

    Imports take a fresh process 5 s. That commands work in one is tested in ``cli/test_main.py``.

    Args:
        code (str): The program.
        *words (Any): Its arguments.
        cwd (str | Path, optional): Its working directory.

    Returns:
        Callable: Waits for the program, and returns what :func:`subprocess.run` does, with captured text.
    """
    command = ['-c', *map(str, words)]
    process, out, err = None, *(tempfile.TemporaryFile('w+') for _ in range(2))  # noqa: SIM115 - closed by end
    if can_fork():
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os.chdir(cwd or '.')
            execute(code, command)
    else:
        process = Popen([sys.executable, '-c', code, *command[1:]], stdout=out, stderr=err, cwd=cwd)

    def end() -> CompletedProcess:
        status = process.wait() if process else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (out, err):
            with file:
                file.seek(0)
                texts.append(file.read())
        return CompletedProcess(command, status, *texts)

    return end


def run_program(code: str, *words: object, cwd: object = None) -> CompletedProcess:
    """Run a Python program as :func:`start_program` does, and wait for it."""
    return start_program(code, *words, cwd=cwd)()
