"""Common parts of the formats: the module that is exported, and what a format can do."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Protocol

from numpy.typing import NDArray
from torch import Tensor, nn

from mmkd_plugin import compatibility
from mmkd_plugin.failures import reworded

from ..student import Student

__all__ = [
    'INPUT',
    'OUTPUTS',
    'Deployable',
    'Format',
    'Run',
    'append_contract',
    'caught',
    'contract_inside',
    'flush_libraries',
    'quiet',
    'require',
]

INPUT = 'signal'
OUTPUTS = ('logits', 'probabilities')
CONTRACT = 'mmkd_contract.json'  # entry of an archive

# What the message of a missing package adds, for an extra that other packages of an environment may not agree with.
ALONE = {
    'tflite': ' (with jax, transformers and older releases of some packages, so best in an environment of its own: '
    "python -m venv tflite && tflite/bin/pip install 'mmkd_plugin[tflite]', and then tflite/bin/mmkd export)"
}

# Windows as recorded (N, C, T) float32 to logits and probabilities, (N, K) each.
Run = Callable[[NDArray], Sequence[NDArray]]


class Format(Protocol):
    """A kind of file, and the program that runs it.

    Attributes:
        suffix (str): Of the file, with its dot.
        tag (str): Part of the file's name that tells two formats of one student apart.
        packages (tuple[str, ...]): Packages that writing and running need.
        extra (str): Extra of this package that brings them.
        single (bool): Whether the file takes one window at a time.
    """

    suffix: str
    tag: str
    packages: tuple[str, ...]
    extra: str
    single: bool

    def pack(self, student: Student, contract: str) -> bytes:
        """Return the file of a student, which holds the contract, a JSON text, too."""

    def start(self, data: bytes) -> Run:
        """Load a file's content into the runtime, on one thread of the CPU."""

    def look(self, data: bytes) -> tuple[str, int | None]:
        """Return contract and opset of a file's content, None in a format without opsets, and run nothing.

        Raises:
            ValueError: The content is not of this format, or holds no contract.
        """

    def versions(self) -> dict[str, str]:
        """Return the versions of the packages that decide what the file holds and does."""


class Deployable(nn.Module):
    """Normaliser, encoder, network and softmax in one: ``(N, C, T)`` as recorded to logits and probabilities ``(N, K)``.

    Args:
        student (Student): From :func:`~mmkd_plugin.deploy.load_student`.
    """

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """Map windows as recorded to logits and probabilities."""
        logits = self.student(signal)
        return logits, logits.softmax(1)


def require(name: str, extra: str = 'export') -> Any:
    """Import a package of an extra.

    Raises:
        ImportError: The package is not installed, or cannot be imported.
    """
    with contextlib.nullcontext() if name in sys.modules else caught():  # some speak at their first import
        return compatibility.require(name, 'an export', f'mmkd_plugin[{extra}]', ALONE.get(extra, ''))


def append_contract(data: bytes, contract: str) -> bytes:
    """Return a file with a contract in an archive at its end, which its runtime does not look at."""
    file = io.BytesIO()
    file.write(data)
    with zipfile.ZipFile(file, 'a') as archive:
        archive.writestr(zipfile.ZipInfo(CONTRACT), contract)  # without the time, so that the same student gives the same file
    return file.getvalue()


def contract_inside(data: bytes, kind: str) -> str:
    """Return the contract out of the archive that a file is, or ends with.

    Args:
        data (bytes): The file.
        kind (str): What the file should be, for messages.

    Raises:
        ValueError: The file is damaged, or has no contract.
    """
    # The zip module lets through whatever it stumbles over.
    with reworded(f'it is damaged, and no {kind}'), zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = next((each for each in archive.infolist() if each.filename.rpartition('/')[2] == CONTRACT), None)
        stored = entry is None or entry.compress_type == zipfile.ZIP_STORED  # else it could unpack to any size
        contract = archive.read(entry).decode() if entry and stored else ''
    if entry is None:
        raise ValueError('it holds no contract, so `mmkd export` has not made it')
    if not stored:
        raise ValueError('its contract is compressed, as `mmkd export` leaves none')
    return contract


@contextlib.contextmanager
def caught() -> Iterator[IO[bytes]]:
    """Keep in a file what libraries print, those in C++ too: converters and runtimes speak of themselves at length."""
    with tempfile.TemporaryFile() as file:
        sys.stdout.flush()
        sys.stderr.flush()
        kept = [os.dup(number) for number in (1, 2)]
        try:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
            with contextlib.redirect_stdout(io.StringIO()):
                yield file
        finally:
            flush_libraries()
            for number, copy in zip((1, 2), kept):
                os.dup2(copy, number)
                os.close(copy)


def flush_libraries() -> None:
    """Write what libraries in C have printed and still keep in memory."""
    ctypes.CDLL(None).fflush(None)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Leave out warnings that torch gives of every traced graph; every artefact is compared with its student instead."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield
