"""Formats that a student is exported to, by name."""

from .base import INPUT, OUTPUTS, Deployable, Format, Run, require
from .onnx_format import OnnxFormat
from .torchscript_format import TorchScriptFormat

__all__ = ['FORMATS', 'INPUT', 'OUTPUTS', 'Deployable', 'Format', 'OnnxFormat', 'Run', 'TorchScriptFormat', 'require']

FORMATS: dict[str, Format] = {'onnx': OnnxFormat(), 'torchscript': TorchScriptFormat()}
