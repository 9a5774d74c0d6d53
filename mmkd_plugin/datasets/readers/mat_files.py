"""MATLAB files, read in a process of their own: a file of a kilobyte can crash the parser, and the interpreter with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ['read_variable']

MEMORY = 2**32  # bytes of address space, several times what a window needs
SECONDS = 60  # for one file
# No import of this package, which would take seconds. An answer is a line of JSON, and the array's bytes where there is one.
CHILD = """
import json, sys
sys.path = [path for path in sys.path if path]
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, ValueError, OSError):  # a system without these limits
    pass
from scipy.io import loadmat
out = sys.stdout.buffer
for line in sys.stdin:
    file, variable = json.loads(line)
    data = b''
    try:
        array = loadmat(file, variable_names=[variable]).get(variable)
        if array is None:
            head = dict(error=f'the file has no variable {variable!r}')
        elif array.dtype.kind not in 'fiu':
            head = dict(error=f'{variable} holds {array.dtype}, expected numbers')
        else:
            head, data = dict(dtype=array.dtype.str, shape=array.shape), array.tobytes()
    except Exception as error:  # scipy lets through whatever its parser stumbles over
        reason = str(error).split(chr(10))[0] or 'it ends too early'
        head = dict(error=f'no MATLAB file that can be read ({type(error).__name__}: {reason})')
    out.write(json.dumps(head).encode() + b'\\n' + data)
    out.flush()
"""

_LOCK = threading.Lock()
_PROCESSES: dict[int, subprocess.Popen] = {}  # by the process that has started it: a forked one starts its own


def read_variable(file: Path, variable: str) -> NDArray:
    """Read one variable of a MATLAB file, as stored.

    The process that reads is started once, and ends with this one; after a crash it is started anew.

    Args:
        file (Path): The file.
        variable (str): Name of an array of numbers.

    Raises:
        ValueError: The file is damaged, crashes the parser or lacks the variable; a MATLAB file has no lines to name.
    """
    with _LOCK:
        process = _PROCESSES.get(os.getpid())
        if process is None or process.poll() is not None:
            process = _PROCESSES[os.getpid()] = _start()
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        try:
            head, data = _ask(process, [str(file.absolute()), variable])
        except (EOFError, OSError) as error:
            ending = f'signal {-process.wait()}' if process.wait() < 0 else f'exit code {process.wait()}'
            raise ValueError(f'{file}: no MATLAB file that can be read: it crashes the parser ({ending})') from error
        finally:
            timer.cancel()
    if 'error' in head:
        raise ValueError(f'{file}: {head["error"]}')
    return np.frombuffer(data, np.dtype(head['dtype'])).reshape(head['shape'])


def _start() -> subprocess.Popen:
    command = [sys.executable, '-c', CHILD, str(MEMORY)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _ask(process: subprocess.Popen, question: list[str]) -> tuple[dict, bytes]:
    """Send a question, and return the head and the bytes of the answer.

    Raises:
        EOFError: The process has ended before its answer did.
        OSError: Likewise.
    """
    sender, receiver = process.stdin, process.stdout
    if sender is None or receiver is None:
        raise EOFError
    sender.write(json.dumps(question).encode() + b'\n')
    sender.flush()
    line = receiver.readline()
    if not line.endswith(b'\n'):
        raise EOFError
    head = json.loads(line)
    size = 0 if 'error' in head else np.dtype(head['dtype']).itemsize * int(np.prod(head['shape']))
    data = receiver.read(size)
    if len(data) < size:
        raise EOFError
    return head, data
