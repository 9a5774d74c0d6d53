"""Comparison of an exported student with the student itself, on recorded windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample
from numpy.typing import NDArray
from torch import Tensor

from mmkd_plugin.engine import Predictions
from mmkd_plugin.failures import reworded

from .artifact import as_array, difference
from .formats import OUTPUTS, Run
from .student import Student

__all__ = ['TOLERANCE', 'Comparison', 'MismatchError', 'Runtime', 'compare', 'golden_batches', 'run_student']

TOLERANCE = 1e-4  # of float artefacts: of probabilities, and of logits as a share of the largest


class MismatchError(ValueError):
    """An artefact cannot be compared with its student."""


@dataclass(frozen=True)
class Runtime:
    """A student in a runtime, for the loop over windows as recorded.

    Attributes:
        run (Run): Windows ``(N, C, T)`` to logits and probabilities.
    """

    run: Run

    def respond(self, data: dict, name: str | None = None) -> dict[str, Tensor]:
        """Return ``logits`` and ``probabilities`` ``(N, K)`` of a batch as the loader gives it.

        Raises:
            MismatchError: The runtime does not run on so many windows.
        """
        signal = as_array(data['inputs'])
        with reworded(f'it cannot be run on {len(signal)} windows', to=MismatchError):  # runtimes have errors of their own
            outputs = dict(zip(OUTPUTS, self.run(signal)))
        for key, values in outputs.items():
            if len(values) != len(signal):
                raise MismatchError(f'it gives {len(values)} {key} for {len(signal)} windows, so a part of it is a constant')
        return {key: torch.from_numpy(np.array(values)) for key, values in outputs.items()}


@dataclass(frozen=True)
class Comparison:
    """How far an artefact is from its student.

    Attributes:
        windows (int): Number of windows that were compared.
        origin (str): Where they come from.
        differences (Mapping[str, float]): Largest difference of each output, see
            :func:`~mmkd_plugin.deploy.artifact.difference`.
        agreement (float): Share of the windows for which both give the same class; where the student's logits of two classes
            are nearer than :data:`TOLERANCE`, either is right.
        worst (tuple[str, str], optional): Window and output of the first mismatch.
    """

    windows: int
    origin: str
    differences: Mapping[str, float]
    agreement: float
    worst: tuple[str, str] | None

    def to_dict(self) -> dict[str, Any]:
        """Return what the JSON file keeps."""
        return {
            'windows': self.windows,
            'origin': self.origin,
            'differences': dict(self.differences),
            'agreement': self.agreement,
        }

    def fault(self, tolerance: float) -> str | None:
        """Say in a sentence where the artefact is not its student; None where it is."""
        if self.worst is None:
            return None
        window, output = self.worst
        apart = ' and '.join(f'{value:.2g} of {name}' for name, value in self.differences.items())
        return (
            f'it does not compute what the student does: window {window} is the first whose {output} differ. '
            f'Of {self.windows:,} windows ({self.origin}), {100 * self.agreement:.2f} % have the same class, and the largest '
            f'difference is {apart}; {tolerance:g} and the same class in all windows were expected'
        )


def run_student(student: Student) -> Run:
    """Return the student itself as a function of arrays."""

    def run(signal: NDArray) -> Sequence[NDArray]:
        with torch.no_grad():
            logits = student(torch.from_numpy(signal))
            return logits.numpy(), logits.softmax(1).numpy()

    return run


def compare(expected: Predictions, measured: Predictions, origin: str, tolerance: float) -> Comparison:
    """Compare the outputs of two networks for the same windows.

    Args:
        expected (Predictions): Of the student, with its probabilities among the fields.
        measured (Predictions): Of the artefact.
        origin (str): Where the windows come from.
        tolerance (float): Largest difference that passes.
    """
    pairs = [(p.logits.numpy(), p.fields['probabilities'].numpy()) for p in (expected, measured)]
    apart = difference(*pairs)
    same = _same_class(*(logits for logits, _ in pairs))
    worst = None
    for name, distances in apart.items():
        bad = np.flatnonzero(~((distances <= tolerance) & same))
        if worst is None and len(bad):
            worst = expected.window_ids[bad[0]], name
    differences = {name: float(distances.max()) for name, distances in apart.items()}
    return Comparison(len(same), origin, differences, float(same.mean()), worst)


def _same_class(expected: NDArray, logits: NDArray) -> NDArray:
    """Tell for which windows the class is the same ``(N, )``; rounding may decide between two classes that are as good."""
    chosen = np.take_along_axis(expected, logits.argmax(1)[:, None], 1)[:, 0]
    return expected.max(1) - chosen <= TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0)))


def golden_batches(golden: Mapping[str, Tensor]) -> list[dict]:
    """Return the golden windows of a checkpoint as batches of two sizes: the first alone, and the others."""
    samples = [DataSample(metainfo={'window_id': f'golden:{index}'}) for index in range(len(golden['signal']))]
    for sample in samples:
        sample.set_gt_label(np.array([-1]))  # a checkpoint does not keep their labels
    parts = [slice(0, 1), slice(1, None)] if len(samples) > 1 else [slice(0, 1)]
    return [{'inputs': golden['signal'][part], 'data_samples': samples[part]} for part in parts]
