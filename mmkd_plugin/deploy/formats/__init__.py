"""Formats that a student is exported to, by name."""

from .base import INPUT, OUTPUTS, Deployable, Format, Run, require
from .executorch_format import ExecuTorchFormat
from .onnx_format import OnnxFormat
from .tflite_format import TfliteFormat
from .torchscript_format import TorchScriptFormat

__all__ = [
    'FORMATS',
    'INPUT',
    'OUTPUTS',
    'Deployable',
    'ExecuTorchFormat',
    'Format',
    'OnnxFormat',
    'Run',
    'TfliteFormat',
    'TorchScriptFormat',
    'require',
]

FORMATS: dict[str, Format] = {
    'onnx': OnnxFormat(),
    'torchscript': TorchScriptFormat(),
    'executorch': ExecuTorchFormat(),
    'tflite': TfliteFormat(),
}
