"""TensorFlow Lite, for phones and, by TensorFlow Lite Micro, for microcontrollers."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmkd_plugin.failures import of_the_machine

from ..student import Student
from .base import INPUT, OUTPUTS, Run, append_contract, caught, contract_inside, flush_libraries, quiet, require
from .planar import as_planar

__all__ = ['TfliteFormat', 'quantize_tflite', 'tflite_arena']

LARGEST = 2**26  # bytes of an arena that is tried
SIGNATURE = 'serving_default'
OUTSIDE = r'^(?!.*_network[/;]).*'  # normaliser, view and softmax, by the names of what they write


class TfliteFormat:
    """A ``.tflite`` model for one window, made by litert-torch and run by LiteRT."""

    suffix: str = '.tflite'
    tag: str = '_tflite'
    packages: tuple[str, ...] = ('litert_torch', 'ai_edge_litert.interpreter')
    extra: str = 'tflite'
    single: bool = True

    def pack(self, student: Student, contract: str) -> bytes:
        """Return the model of a student."""
        litert = require('litert_torch', self.extra)
        with quiet(), caught(), tempfile.TemporaryDirectory() as folder:
            sample = torch.zeros(1, *student.contract.shape)
            model = litert.convert(_Named(as_planar(student)).eval(), sample_kwargs={INPUT: sample})
            path = Path(folder, 'student.tflite')
            model.export(str(path))
            return append_contract(path.read_bytes(), contract)

    def start(self, data: bytes) -> Run:
        """Load a model, on one thread of the CPU."""
        litert = require('ai_edge_litert.interpreter', self.extra)
        with caught():
            interpreter = litert.Interpreter(model_content=data, num_threads=1)
            interpreter.allocate_tensors()
            runner = interpreter.get_signature_runner()

        def run(signal: NDArray) -> Sequence[NDArray]:
            rows = [runner(**{INPUT: np.ascontiguousarray(window[None])}) for window in signal]
            return [np.concatenate([row[name] for row in rows]) for name in OUTPUTS]

        return run

    def look(self, data: bytes) -> tuple[str, int | None]:
        """Return the contract of a model, which is not run for that."""
        return contract_inside(data, 'TensorFlow Lite model'), None

    def versions(self) -> dict[str, str]:
        """Return the versions of torch, litert-torch and ai-edge-litert."""
        return {name: version(name) for name in ('torch', 'litert-torch', 'ai-edge-litert')}


class _Named(nn.Module):
    """A module whose outputs have names, which the model keeps."""

    def __init__(self, logits: nn.Module) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, signal: Tensor) -> dict[str, Tensor]:
        """Map windows as recorded to logits and probabilities."""
        logits = self.logits(signal)
        return dict(zip(OUTPUTS, (logits, logits.softmax(1))))


def quantize_tflite(data: bytes, contract: str, batches: Iterable[NDArray]) -> bytes:
    """Return a TensorFlow Lite model whose network has int8 weights and activations; inputs and outputs stay float.

    Weights have a scale per channel. Normaliser and view stay in float, for the reason that
    :func:`mmkd_plugin.deploy.quantize.quantize` gives.

    Args:
        data (bytes): The float model.
        contract (str): JSON of the contract, which the file ends with again.
        batches (Iterable[ndarray]): Windows of training, ``(N, C, T)`` as recorded, whose smallest and largest activations
            set the scales.
    """
    quantizer, recipe = (require(f'ai_edge_quantizer.{name}', 'tflite') for name in ('quantizer', 'recipe'))
    (static,) = recipe.static_wi8_ai8()
    float_ = {**static, 'algorithm_key': 'no_quantize'}
    outside = [('INPUT', '.*'), ('OUTPUT', '.*'), ('*', OUTSIDE)]
    rules = [static, *({**float_, 'operation': name, 'regex': regex} for name, regex in outside)]
    windows = [{INPUT: np.ascontiguousarray(window[None])} for batch in batches for window in batch]
    with quiet(), caught():
        model = quantizer.Quantizer(data, rules)
        ranges = model.calibrate({SIGNATURE: windows}, num_threads=1)
        return append_contract(bytes(model.quantize(ranges).quantized_model), contract)


def tflite_arena(data: bytes, signal: NDArray) -> int | None:
    """Return the bytes of the arena that TensorFlow Lite Micro needs for one window, all that it allocates.

    Args:
        data (bytes): The model.
        signal (ndarray): One window, ``(1, C, T)``.

    Returns:
        int, optional: None where the package is not installed, or lacks an operation of the model.
    """
    try:
        micro = require('tflite_micro', 'tflite').runtime
        with caught() as printed:
            interpreter = micro.Interpreter.from_bytes(data, arena_size=LARGEST)
            interpreter.set_input(signal, 0)
            interpreter.invoke()
            interpreter.print_allocations()
            flush_libraries()
            printed.seek(0)
            text = printed.read()
    except (ImportError, RuntimeError) as error:
        if of_the_machine(error):
            raise
        return None
    total = re.search(rb'Arena allocation total (\d+) bytes', text)
    return int(total[1]) if total else None
