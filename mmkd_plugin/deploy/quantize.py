"""Static quantisation to int8 by onnxruntime, and its accuracy beside that of the float artefact."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.engine import Predictions

from .formats import INPUT, OnnxFormat, require

__all__ = ['Accuracy', 'compare_accuracy', 'quantize']

# Whatever else stands between two of them would go back to float and forth again.
QUANTIZED = ('Conv', 'Gemm', 'Add', 'Relu', 'Clip', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'Concat')
NETWORK = '/student/network/'  # scope of the nodes of the network; normaliser, encoder and softmax stay in float


def quantize(data: bytes, contract: str, batches: Iterable[NDArray]) -> bytes:
    """Return an ONNX artefact with int8 weights and activations, in the form of QuantizeLinear and DequantizeLinear.

    Weights have a scale per channel. The normaliser stays in float: one scale for channels of different units would leave
    nothing of the smaller ones.

    Args:
        data (bytes): The float artefact.
        contract (str): JSON of the contract, which the metadata hold again.
        batches (Iterable[ndarray]): Windows of training, ``(N, C, T)`` as recorded, whose smallest and largest activations
            set the scales.
    """
    onnx, quantization = require('onnx'), require('onnxruntime.quantization')
    model = onnx.load_from_string(data)
    outside = [node.name for node in model.graph.node if not node.name.startswith(NETWORK)]
    log = logging.getLogger()
    level = log.level
    log.setLevel(logging.ERROR)  # the package advises steps that an export has done
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'int8.onnx')
            quantization.quantize_static(
                model,
                str(path),
                _Reader(batches),
                quant_format=quantization.QuantFormat.QDQ,
                per_channel=True,
                activation_type=quantization.QuantType.QInt8,
                weight_type=quantization.QuantType.QInt8,
                op_types_to_quantize=list(QUANTIZED),
                nodes_to_exclude=outside,
            )
            return OnnxFormat().seal(onnx.load(str(path)), contract)
    finally:
        log.setLevel(level)


class _Reader:
    """Batches as onnxruntime asks for them."""

    def __init__(self, batches: Iterable[NDArray]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> dict[str, NDArray] | None:
        """Return the next batch by the name of the input, None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch}


@dataclass(frozen=True)
class Accuracy:
    """Accuracy of an int8 artefact beside that of the float artefact, shares from 0 to 1.

    Attributes:
        windows (int): Number of test windows of a known class.
        rows (tuple[tuple[str, str, int, tuple[float, ...]], ...]): Kind ('all', 'class' or 'subject'), name, number of windows,
            accuracy of every artefact.
        artifacts (tuple[str, ...]): Names of the artefacts, the float one first, and last the one that is spoken of.
    """

    windows: int
    rows: tuple[tuple[str, str, int, tuple[float, ...]], ...]
    artifacts: tuple[str, ...] = ('float32', 'int8')

    @property
    def drop(self) -> float:
        """Loss of accuracy over all windows, in points."""
        *_, accuracies = self.rows[0]
        return 100 * (accuracies[0] - accuracies[-1])

    def to_dict(self) -> dict[str, Any]:
        """Return what the JSON file keeps."""
        keys = ('kind', 'name', 'windows', *self.artifacts)
        rows = [(kind, name, count, *accuracies) for kind, name, count, accuracies in self.rows]
        return {'windows': self.windows, 'drop': self.drop, 'rows': [dict(zip(keys, row)) for row in rows]}

    def to_text(self) -> str:
        """Return a table."""
        width = max(len(f'{kind} {name}') for kind, name, *_ in self.rows)
        lines = [f'  {"accuracy, %":<{width}}  windows' + ''.join(f'  {name:>7}' for name in self.artifacts)]
        for kind, name, count, accuracies in self.rows:
            cells = ''.join(f'  {100 * value:>{max(7, len(column))}.2f}' for value, column in zip(accuracies, self.artifacts))
            lines.append(f'  {f"{kind} {name}":<{width}}  {count:>7}{cells}')
        return '\n'.join(lines)


def compare_accuracy(classes: Iterable[str], predictions: Mapping[str, Predictions]) -> Accuracy:
    """Return the accuracy of artefacts on the same windows: over all, by class and by subject.

    Args:
        classes (Iterable[str]): Names of the K classes.
        predictions (Mapping[str, Predictions]): By name of the artefact, the float one first.

    Raises:
        ValueError: No window has a known class.
    """
    known = [each.known() for each in predictions.values()]
    first = known[0]
    if not len(first):
        raise ValueError('no test window is of a class that the student knows')
    labels = first.labels.numpy()
    right = [(each.logits.numpy().argmax(1) == labels) for each in known]
    subjects = np.array([str(sample.get('subject', '')) for sample in first.samples])
    groups: dict[tuple[str, str], NDArray] = {('all', 'windows'): np.full(len(labels), True)}
    groups |= {('class', name): labels == label for label, name in enumerate(classes)}
    groups |= {('subject', name): subjects == name for name in dict.fromkeys(subjects.tolist())}
    rows = [
        (kind, name, int(chosen.sum()), tuple(float(values[chosen].mean()) for values in right))
        for (kind, name), chosen in groups.items()
        if chosen.any()
    ]
    return Accuracy(len(labels), tuple(rows), tuple(predictions))
