"""TorchScript, run by torch itself, in Python or in C++."""

from __future__ import annotations

import io
from collections.abc import Sequence

import torch
from numpy.typing import NDArray

from ..student import Student
from .base import CONTRACT, Deployable, Run, contract_inside, quiet

__all__ = ['TorchScriptFormat']


class TorchScriptFormat:
    """A traced and frozen TorchScript module; batch norms are folded into the convolutions before them."""

    suffix: str = '.pt'
    tag: str = '_torchscript'
    packages: tuple[str, ...] = ()
    extra: str = ''
    single: bool = False

    def pack(self, student: Student, contract: str) -> bytes:
        """Return the archive of a student."""
        buffer = io.BytesIO()
        with quiet(), torch.no_grad():
            sample = torch.zeros(2, *student.contract.shape)
            traced = torch.jit.trace(Deployable(student).eval(), (sample,), check_trace=False)
            torch.jit.save(torch.jit.freeze(traced), buffer, _extra_files={CONTRACT: contract})
        return buffer.getvalue()

    def start(self, data: bytes) -> Run:
        """Load an archive; it runs on as many threads as torch has in this process."""
        with quiet():
            module = torch.jit.load(io.BytesIO(data), map_location='cpu')

        def run(signal: NDArray) -> Sequence[NDArray]:
            with torch.no_grad():
                return [output.numpy() for output in module(torch.from_numpy(signal))]

        return run

    def look(self, data: bytes) -> tuple[str, int | None]:
        """Return the contract of an archive, which is not run for that."""
        return contract_inside(data, 'TorchScript archive'), None

    def versions(self) -> dict[str, str]:
        """Return the version of torch."""
        return {'torch': str(torch.__version__)}
