"""Export of a student: artefact, contract and golden vectors, compared with the student in the runtime that they are for."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.engine import predict_windows
from mmkd_plugin.failures import reworded
from mmkd_plugin.fileio import seal, write_atomically, write_together
from mmkd_plugin.version import __version__

from .artifact import ARTIFACT, as_array, describe_tensors, golden_path
from .budget import Budget, count_macs, measure_latency
from .formats import FORMATS, INPUT, OUTPUTS, Run, require
from .formats.tflite_format import quantize_tflite, tflite_arena
from .header import to_header
from .onnx_graph import onnx_activations
from .quantize import Accuracy, compare_accuracy, quantize
from .student import Student
from .verify import TOLERANCE, Comparison, MismatchError, Runtime, compare, golden_batches, run_student

__all__ = ['QUANTIZERS', 'WINDOWS', 'Exported', 'Recorded', 'check_exportable', 'export_float', 'export_int8']

WINDOWS = 1_000  # that an artefact is compared on
QUANTIZERS = {'onnx': quantize, 'tflite': quantize_tflite}  # by the name of the format
INT8_TOLERANCE = 0.1  # of golden outputs: processors differ in how their int8 kernels round
UNTRACED = ('PersistenceImage',)  # views that are computed by programs which no graph holds

# Batches of windows as recorded, from the first on at every call.
Batches = Callable[[], Iterable[dict]]


@dataclass(frozen=True)
class Recorded:
    """Windows as recorded that artefacts are compared on, and networks beside which their latency is measured.

    Attributes:
        origin (str): Where the windows come from, for people.
        batches (Batches): The windows.
        networks (Mapping[str, Run]): Networks in PyTorch by name.
    """

    origin: str
    batches: Batches
    networks: Mapping[str, Run] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """One artefact that lies on disk.

    Attributes:
        path (Path): Of the file.
        facts (Mapping): What its JSON says.
        comparison (Comparison): With the student, in the runtime.
        budget (Budget): Its costs.
        run (Run): The artefact in its runtime.
        accuracy (Accuracy, optional): Of an int8 artefact, beside float's.
    """

    path: Path
    facts: Mapping[str, Any]
    comparison: Comparison
    budget: Budget
    run: Run
    accuracy: Accuracy | None = None

    def to_text(self) -> str:
        """Return what people want to know of the artefact, in lines."""
        facts, seen = self.facts, self.comparison
        kind = facts['precision'] + (f', opset {facts["opset"]}' if facts['opset'] else '')
        shapes = [
            f'{tensor["name"]} ({", ".join(map(str, tensor["shape"]))})' for tensor in (*facts['inputs'], *facts['outputs'])
        ]
        apart = ', '.join(f'{name} {value:.1e}' for name, value in seen.differences.items())
        lines = [
            f'{self.path}: {facts["format"]}, {kind}, {shapes[0]} to {" and ".join(shapes[1:])}',
            f'  {"beside PyTorch":<18}{100 * seen.agreement:.2f} % the same class in {seen.windows:,} windows ({seen.origin}); '
            f'largest difference: {apart}',
            self.budget.to_text(),
        ]
        return '\n'.join([*lines, *([self.accuracy.to_text()] if self.accuracy else [])])


def check_exportable(student: Student, origin: str, kind: str) -> None:
    """See that a student can be exported to a format, before any work.

    Args:
        student (Student): From :func:`~mmkd_plugin.deploy.load_student`.
        origin (str): What it is, for the message.
        kind (str): Name of the format.

    Raises:
        ImportError: A package of the format's extra is missing.
        ValueError: The student cannot be exported.
    """
    for package in FORMATS[kind].packages:
        require(package, FORMATS[kind].extra)
    view = (student.contract.view or {}).get('type')
    if view in UNTRACED:
        raise ValueError(
            f'{origin} reads a {view}, which is computed by a program that no exported graph can hold. Export a student that '
            f'reads the signal or a GramianAngularField: a teacher on a {view} can be distilled into one'
        )
    if not student.golden:
        raise ValueError(f'{origin} holds no golden windows, which an artefact is compared on')


def export_float(student: Student, path: Path, kind: str, windows: Recorded | None = None, header: bool = False) -> Exported:
    """Export a student, compare it with itself in the runtime, and write it with contract and golden vectors.

    Args:
        student (Student): One that :func:`check_exportable` lets pass.
        path (Path): Of the artefact.
        kind (str): Name of the format.
        windows (Recorded, optional): Windows to compare on; the golden windows of the checkpoint by default.
        header (bool): Write a C header too.

    Returns:
        Exported: What lies on disk now.

    Raises:
        OSError: A file cannot be written; none of them is.
        ValueError: The network has an operation that the format lacks, or the artefact computes something else.
    """
    # Tracers raise whatever they stumble over.
    with reworded(f'{path} cannot be made, since the network does not go into a graph', passing=ImportError):
        content = FORMATS[kind].pack(student, _contract_text(student))
    run = FORMATS[kind].start(content)
    try:
        comparison = _compare(student, run, windows, TOLERANCE)
        fault = comparison.fault(TOLERANCE)
    except MismatchError as error:
        fault = str(error)
    if fault:
        kept = path.with_name(f'{path.stem}_mismatch{path.suffix}')
        write_atomically(content, kept)
        raise ValueError(f'{path} was not written: {fault}. The file is kept as {kept}, and no other file was touched')
    facts = {'format': kind, 'precision': 'float32', 'tolerance': TOLERANCE}
    return _finish(student, path, content, run, facts, comparison, header, windows)


def export_int8(
    student: Student,
    path: Path,
    before: Mapping[str, Exported],
    training: Iterable[NDArray],
    test: Batches,
    windows: Recorded | None = None,
    header: bool = False,
    name: str = 'int8',
) -> Exported:
    """Quantise a student in the format of its float artefact, and measure how much of its accuracy is left.

    Args:
        student (Student): Of which the artefact is made.
        path (Path): Of the artefact.
        before (Mapping[str, Exported]): Artefacts whose accuracy stands beside that of this one, by name; the float one first.
        training (Iterable[ndarray]): Windows of training for the scales, ``(N, C, T)`` as recorded, batch by batch.
        test (Batches): Test windows.
        windows (Recorded, optional): As for :func:`export_float`.
        header (bool): Write a C header too.
        name (str): Of the artefact, where its accuracy stands.

    Returns:
        Exported: With its accuracy; what loss of it is too much is for the caller to say.

    Raises:
        OSError: A file cannot be written; none of them is.
    """
    contract = _contract_text(student)
    kind = next(iter(before.values())).facts['format']
    content = QUANTIZERS[kind](FORMATS[kind].pack(student, contract), contract, training)
    run = FORMATS[kind].start(content)
    runs = {**{key: each.run for key, each in before.items()}, name: run}
    predictions = {key: predict_windows(Runtime(each), test()) for key, each in runs.items()}
    accuracy = compare_accuracy(student.contract.classes, predictions)
    comparison = _compare(student, run, windows, INT8_TOLERANCE)
    facts = {'format': kind, 'precision': 'int8', 'tolerance': INT8_TOLERANCE, 'accuracy': accuracy.to_dict()}
    return _finish(student, path, content, run, facts, comparison, header, windows, accuracy)


def _compare(student: Student, run: Run, windows: Recorded | None, tolerance: float) -> Comparison:
    windows = windows or Recorded('golden windows of the checkpoint', lambda: golden_batches(student.golden))
    expected, measured = (predict_windows(Runtime(each), windows.batches()) for each in (run_student(student), run))
    return compare(expected, measured, windows.origin, tolerance)


def _finish(
    student: Student,
    path: Path,
    content: bytes,
    run: Run,
    facts: dict[str, Any],
    comparison: Comparison,
    header: bool,
    windows: Recorded | None,
    accuracy: Accuracy | None = None,
) -> Exported:
    """Write an artefact with all that belongs to it, the artefact last."""
    signal = as_array(student.golden[INPUT])
    golden = {INPUT: signal, **dict(zip(OUTPUTS, map(np.asarray, run(signal))))}
    runs = {'artefact': run, 'pytorch': run_student(student), **(windows.networks if windows else {})}
    budget = _budget(student, facts['format'], content, runs, signal[:1])
    buffer = io.BytesIO()
    np.savez(buffer, **golden)  # type: ignore[arg-type]  # numpy takes any name for one of its own arguments
    contract, opset = FORMATS[facts['format']].look(content)
    facts = {
        'kind': ARTIFACT,
        **facts,
        'opset': opset,
        **describe_tensors(student.contract, 1 if FORMATS[facts['format']].single else 'N'),
        'artifact_sha256': sha256(content).hexdigest(),
        'bytes': len(content),
        'golden_windows': len(signal),
        'golden_sha256': sha256(buffer.getvalue()).hexdigest(),
        'versions': {'mmkd_plugin': __version__, **FORMATS[facts['format']].versions()},
        'contract': json.loads(contract),
        'comparison': comparison.to_dict(),
        'budget': budget.to_dict(),
    }
    files = {golden_path(path): buffer.getvalue(), path.with_suffix('.json'): seal(facts), path: content}
    if header:
        files = {path.with_suffix('.h'): to_header(path.name, student, golden).encode(), **files}
    write_together(files)
    return Exported(path, facts, comparison, budget, run, accuracy)


def _budget(student: Student, kind: str, content: bytes, runs: Mapping[str, Run], signal: NDArray) -> Budget:
    params = sum(parameter.numel() for parameter in student.network.parameters())
    activations = onnx_activations(content, signal) if kind == 'onnx' else None
    arena = tflite_arena(content, signal) if kind == 'tflite' else None
    return Budget(params, count_macs(student), len(content), activations, measure_latency(runs, signal), arena)


def _contract_text(student: Student) -> str:
    return json.dumps(student.contract.to_meta())
