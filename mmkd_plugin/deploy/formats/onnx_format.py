"""ONNX, run by onnxruntime."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from numpy.typing import NDArray

from mmkd_plugin.failures import reworded

from ..student import Student
from .base import INPUT, OUTPUTS, Deployable, Run, quiet, require

__all__ = ['OPSET', 'OnnxFormat', 'session']

OPSET = 17  # read by onnxruntime from 1.12 on
CONTRACT = 'mmkd_contract'  # entry of the model's metadata


class OnnxFormat:
    """ONNX with a dynamic number of windows.

    torch has two exporters. The older one traces: of WRN 16-1, ResNet1d, VGG1d, MobileNetV2_1d, ResNet-18 and MobileNetV2, with
    the weights that they are made with, the graphs of both are within 1.1e-7 of the network. The newer one takes about twenty
    times as long, 2 to 8 s beside 0.1 to 0.3 s, and needs one more package; it will be needed once torch drops the older one.
    """

    suffix: str = '.onnx'
    tag: str = ''
    packages: tuple[str, ...] = ('onnx', 'onnxruntime')
    extra: str = 'export'
    single: bool = False

    def pack(self, student: Student, contract: str) -> bytes:
        """Return the ONNX file of a student, batch norms folded into the convolutions before them."""
        file: Any = io.BytesIO()  # torch's annotation knows paths alone
        with quiet(), _no_graph_printed():
            torch.onnx.export(
                Deployable(student).eval(),
                (torch.zeros(2, *student.contract.shape),),
                file,
                dynamo=False,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                dynamic_axes={name: {0: 'N'} for name in (INPUT, *OUTPUTS)},
            )
        model = require('onnx').load_from_string(file.getvalue())
        return self.seal(model, contract)

    def seal(self, model: Any, contract: str) -> bytes:
        """Return a model as bytes, with a contract in its metadata."""
        onnx = require('onnx')
        onnx.helper.set_model_props(model, {CONTRACT: contract})
        onnx.checker.check_model(model)
        return model.SerializeToString()

    def start(self, data: bytes) -> Run:
        """Load a model into onnxruntime, on one thread of the CPU."""
        running = session(data)

        def run(signal: NDArray) -> Sequence[NDArray]:
            return running.run(list(OUTPUTS), {INPUT: signal})

        return run

    def look(self, data: bytes) -> tuple[str, int | None]:
        """Return contract and opset of a model."""
        onnx = require('onnx')
        with reworded('it is damaged, and no ONNX file'):  # protobuf has errors of its own
            model = onnx.load_from_string(data)
        contracts = [entry.value for entry in model.metadata_props if entry.key == CONTRACT]
        opsets = [entry.version for entry in model.opset_import if entry.domain in ('', 'ai.onnx')]
        if not contracts or not opsets:
            raise ValueError('it holds no contract, so `mmkd export` has not made it')
        return contracts[0], opsets[0]

    def versions(self) -> dict[str, str]:
        """Return the versions of torch, onnx and onnxruntime."""
        return {'torch': str(torch.__version__), **{name: require(name).__version__ for name in self.packages}}


@contextlib.contextmanager
def _no_graph_printed() -> Iterator[None]:
    """Keep torch from printing the whole graph where an operation cannot be exported; the error says which."""
    before = torch._C._jit_is_onnx_log_enabled()
    torch._C._jit_set_onnx_log_enabled(False)
    try:
        yield
    finally:
        torch._C._jit_set_onnx_log_enabled(before)


def session(data: bytes) -> Any:
    """Start onnxruntime on one thread of the CPU."""
    runtime = require('onnxruntime')
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    return runtime.InferenceSession(data, options, providers=['CPUExecutionProvider'])
