"""Common parts of the formats: the module that is exported, and what a format can do."""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray
from torch import Tensor, nn

from ..student import Student

__all__ = ['INPUT', 'OUTPUTS', 'Deployable', 'Format', 'Run', 'quiet', 'require']

INPUT = 'signal'
OUTPUTS = ('logits', 'probabilities')

# Windows as recorded (N, C, T) float32 to logits and probabilities, (N, K) each.
Run = Callable[[NDArray], Sequence[NDArray]]


class Format(Protocol):
    """A kind of file, and the program that runs it.

    Attributes:
        suffix (str): Of the file, with its dot.
        tag (str): Part of the file's name that tells two formats of one student apart.
        packages (tuple[str, ...]): Packages of the extra ``export`` that writing and running need.
    """

    suffix: str
    tag: str
    packages: tuple[str, ...]

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


def require(name: str) -> Any:
    """Import a package of the extra ``export``.

    Raises:
        ImportError: The package is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"an export needs {name}, which is not installed. Run: pip install 'mmkd_plugin[export]'") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Leave out warnings that torch gives of every traced graph; every artefact is compared with its student instead."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield
