"""ExecuTorch, the runtime of torch for phones, with the kernels of XNNPACK."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
import torch
from numpy.typing import NDArray

from ..student import Student
from .base import Deployable, Run, append_contract, caught, contract_inside, quiet, require

__all__ = ['ExecuTorchFormat']


class ExecuTorchFormat:
    """A ``.pte`` program for one window; what XNNPACK has no kernel for is left to the portable ones."""

    suffix: str = '.pte'
    tag: str = '_executorch'
    packages: tuple[str, ...] = ('executorch.exir', 'executorch.runtime')
    extra: str = 'executorch'
    single: bool = True

    def pack(self, student: Student, contract: str) -> bytes:
        """Return the program of a student."""
        exir = require('executorch.exir', self.extra)
        xnnpack = require('executorch.backends.xnnpack.partition.xnnpack_partitioner', self.extra)
        with quiet(), caught():
            program = torch.export.export(Deployable(student).eval(), (torch.zeros(1, *student.contract.shape),))
            edge = exir.to_edge_transform_and_lower(program, partitioner=[xnnpack.XnnpackPartitioner()])
            return append_contract(edge.to_executorch().buffer, contract)

    def start(self, data: bytes) -> Run:
        """Load a program, on one thread of the CPU."""
        runtime = require('executorch.runtime', self.extra).Runtime.get()
        threads = require('executorch.extension.pybindings.portable_lib', self.extra)
        with caught():
            # All programs of a process share the threads, and one that is loaded must not lose them.
            if threads._threadpool_get_thread_count() != 1:
                threads._unsafe_reset_threadpool(1)
            program = runtime.load_program(data)
            method = program.load_method('forward')
        owned = data, program  # the runtime reads the bytes as long as the program runs, and does not keep them itself

        def run(signal: NDArray, _owned: tuple = owned) -> Sequence[NDArray]:
            # A call writes into the memory of the one before.
            rows = [[output.clone().numpy() for output in method.execute([window])] for window in _windows(signal)]
            return [np.concatenate(values) for values in zip(*rows)]

        return run

    def look(self, data: bytes) -> tuple[str, int | None]:
        """Return the contract of a program, which is not run for that."""
        return contract_inside(data, 'ExecuTorch program'), None

    def versions(self) -> dict[str, str]:
        """Return the versions of torch, executorch and torchao."""
        return {name: version(name) for name in ('torch', 'executorch', 'torchao')}


def _windows(signal: NDArray) -> list[torch.Tensor]:
    return [torch.from_numpy(np.ascontiguousarray(window[None])) for window in signal]
