"""Graph of an ONNX artefact as operations and sizes of activations, for its budget card."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from .budget import Step, peak_activations
from .formats import INPUT, OUTPUTS, require
from .formats.onnx_format import session

__all__ = ['onnx_activations']


def onnx_activations(data: bytes, signal: NDArray) -> int:
    """Return the largest number of bytes that the activations of one window take at once.

    Sizes are those of a window that is run with every activation as an output. In a quantised graph an activation between a
    QuantizeLinear and what reads it takes a byte per value, since runtimes join these operations.

    Args:
        data (bytes): The artefact.
        signal (ndarray): One window, ``(1, C, T)``.
    """
    model = require('onnx').load_from_string(data)
    sizes = {INPUT: signal.nbytes, **_sizes(data, signal)}
    constant = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:  # in order, as the format asks
        if all(name in constant for name in node.input if name):
            constant.update(node.output)
    names = _joined(model.graph)
    steps = []
    for node in model.graph.node:
        inputs, outputs = (
            tuple(dict.fromkeys(_resolve(names, name) for name in group if name and name not in constant))
            for group in (node.input, node.output)
        )
        if outputs and inputs != outputs:
            steps.append(Step(inputs, tuple(name for name in outputs if name not in inputs)))
    return peak_activations(steps, sizes, OUTPUTS)


def _sizes(data: bytes, signal: NDArray) -> dict[str, int]:
    """Return the bytes of every activation of one window."""
    onnx = require('onnx')
    model = onnx.load_from_string(data)
    known = [output.name for output in model.graph.output]
    names = [name for node in model.graph.node for name in node.output if name and name not in known]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    running = session(model.SerializeToString())
    every = [*known, *names]
    return {name: value.nbytes for name, value in zip(every, running.run(every, {INPUT: signal}))}


def _joined(graph: Any) -> dict[str, str]:
    """Return names of activations that a runtime never writes, with those that stand for them."""
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    joined = {}
    for node in graph.node:
        if node.op_type == 'DequantizeLinear':
            joined[node.output[0]] = node.input[0]
        elif node.op_type == 'QuantizeLinear' and len(readers[node.input[0]]) == 1 and node.input[0] != INPUT:
            joined[node.input[0]] = node.output[0]
    return joined


def _resolve(names: dict[str, str], name: str) -> str:
    while name in names:
        name = names[name]
    return name
