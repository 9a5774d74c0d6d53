"""Artefact: an exported student as its runtime reads it, with a sealed contract and golden vectors beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmkd_plugin.fileio import check_facts, file_hash, load_npz, unseal

from .contract import Contract
from .formats import FORMATS, INPUT, OUTPUTS, Run

__all__ = [
    'ARTIFACT',
    'Artifact',
    'artifact_path',
    'as_array',
    'describe_tensors',
    'difference',
    'golden_path',
    'load_artifact',
]

ARTIFACT = 'mmkd artefact 1'  # kind of the JSON file, and the number of its format


@dataclass(frozen=True)
class Artifact:
    """A student in the runtime that it was exported for.

    Attributes:
        path (Path): The file that the runtime has read.
        facts (Mapping): What the JSON file beside it says.
        contract (Contract): Of the student.
        run (Run): Windows as recorded ``(N, C, T)`` float32 to logits and probabilities, ``(N, K)`` each.
    """

    path: Path
    facts: Mapping[str, Any]
    contract: Contract
    run: Run

    def __call__(self, signal: NDArray) -> tuple[NDArray, NDArray]:
        """Return logits and probabilities ``(N, K)`` of windows as recorded, ``(N, C, T)``.

        Raises:
            ValueError: The windows are of another shape.
        """
        if signal.ndim != 3 or signal.shape[1:] != self.contract.shape:
            channels, window = self.contract.shape
            raise ValueError(f'signal must be windows (N, {channels}, {window}), got {signal.shape}')
        logits, probabilities = self.run(np.ascontiguousarray(signal, dtype=np.float32))
        return logits, probabilities


def load_artifact(path: str | Path) -> Artifact:
    """Load an artefact, and hold it against the contract and the golden vectors that lie beside it.

    Args:
        path (str | Path): As ``mmkd export`` has written it, ``student_best.onnx`` for example.

    Returns:
        Artifact: On one thread of the CPU.

    Raises:
        FileNotFoundError: One of the three files is missing.
        ImportError: The runtime is not installed.
        ValueError: One of them is damaged or was changed, they do not belong together, or the runtime no longer gives the
            outputs that the student was exported with.
    """
    path = Path(path)
    side = path.with_suffix('.json')
    for file in (path, side):
        if not file.is_file():
            raise FileNotFoundError(f'{file} does not exist; an artefact is a file with {path.stem}.json beside it')
    facts = unseal(side)
    if facts.get('kind') != ARTIFACT or facts.get('format') not in list(FORMATS):  # also of what cannot be hashed
        raise ValueError(f'{side} is of kind {facts.get("kind")!r}, expected {ARTIFACT!r}')
    check_facts(side, facts, bytes=int, opset=(int, NoneType), tolerance=float, contract=dict)
    check_facts(side, facts, artifact_sha256=str, golden_sha256=str)
    suffix = FORMATS[facts['format']].suffix
    if path.suffix != suffix:
        raise ValueError(f'{path} is no artefact: {side} speaks of {path.stem}{suffix}')
    content = path.read_bytes()
    contract = _check_file(path, content, facts)
    golden = golden_path(path)
    if not golden.is_file():
        raise FileNotFoundError(f'{golden} does not exist; {side} names it')
    if file_hash(golden) != facts['golden_sha256']:
        raise ValueError(f'{golden} is damaged: its content has changed since it was written')
    windows = load_npz(golden, (INPUT, *OUTPUTS))
    if not contract.fits_golden(*(windows[name] for name in (INPUT, *OUTPUTS))):
        raise ValueError(f'{golden} does not hold windows and outputs as of the contract in {side}')
    artifact = Artifact(path, facts, contract, FORMATS[facts['format']].start(content))
    _check_outputs(artifact, windows)
    return artifact


def artifact_path(checkpoint: str | Path, folder: str | Path | None, kind: str) -> Path:
    """Return where the artefact of a checkpoint lies: in a folder, or beside the checkpoint."""
    checkpoint = Path(checkpoint)
    return Path(folder or checkpoint.parent, f'{checkpoint.stem}{FORMATS[kind].tag}{FORMATS[kind].suffix}')


def golden_path(path: Path) -> Path:
    """Return where the golden vectors of an artefact lie."""
    return path.with_name(f'{path.stem}_golden.npz')


def describe_tensors(contract: Contract, windows: int | str = 'N') -> dict[str, list[dict[str, Any]]]:
    """Return names, shapes and types of inputs and outputs; N is a number of windows that is free."""
    rows = [windows, len(contract.classes)]
    return {
        'inputs': [{'name': INPUT, 'shape': [windows, *contract.shape], 'dtype': 'float32'}],
        'outputs': [{'name': name, 'shape': rows, 'dtype': 'float32'} for name in OUTPUTS],
    }


def difference(expected: Sequence[NDArray], outputs: Sequence[NDArray]) -> dict[str, NDArray]:
    """Return how far outputs are apart in every window, ``(N, )`` each.

    Probabilities as they are; logits as a share of the largest, where that is above 1. NaN is infinitely far from all.

    Args:
        expected (Sequence[ndarray]): Logits and probabilities, ``(N, K)`` each.
        outputs (Sequence[ndarray]): Likewise.
    """
    apart = {}
    for name, reference, output in zip(OUTPUTS, expected, outputs):
        unit = max(1.0, float(np.abs(reference).max(initial=0))) if name == 'logits' else 1.0
        apart[name] = np.nan_to_num(np.abs(output - reference).max(1) / unit, nan=np.inf)
    return apart


def as_array(windows: Tensor | Sequence[Tensor]) -> NDArray:
    """Return a batch of recorded windows, a tensor or a list of them, as an array ``(N, C, T)``."""
    return (windows if isinstance(windows, Tensor) else torch.stack(tuple(windows))).numpy()


def _check_file(path: Path, content: bytes, facts: Mapping[str, Any]) -> Contract:
    """See that a file is the one that its JSON speaks of, and say in which respect it is not; nothing of it is run."""
    size, expected, side = len(content), facts['bytes'], path.with_suffix('.json')
    if size < expected:
        raise ValueError(f'{path} is truncated: it has {size:,} of {expected:,} bytes')
    try:
        text, opset = FORMATS[facts['format']].look(content)
        other = json.loads(text)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    if opset != facts['opset']:
        raise ValueError(f'{path} has opset {opset}, but was exported with opset {facts["opset"]}, as {side} says')
    contract, inside = _contract(side, facts), _contract(path, {'contract': other})
    if contract is None or inside is None or contract != inside:
        message = inside.mismatch(contract) if contract and inside else None
        kind = f'the student that {side} describes {message}' if message else f'{side} describes another student'
        raise ValueError(f'{path} and {side} do not belong together: {kind}')
    if sha256(content).hexdigest() != facts['artifact_sha256']:
        raise ValueError(f'{path} is damaged: its content has changed since it was written')
    return contract


def _contract(path: Path, facts: Mapping[str, Any]) -> Contract | None:
    try:
        return Contract.from_meta(facts)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def _check_outputs(artifact: Artifact, golden: Mapping[str, NDArray]) -> None:
    """See that the runtime gives the outputs that were kept, for one window and for several at once."""
    expected = [golden[name] for name in OUTPUTS]
    for rows in (slice(0, 1), slice(None)):
        outputs = artifact(golden[INPUT][rows])
        apart = difference([values[rows] for values in expected], outputs)
        for name, distances in apart.items():
            window = int(distances.argmax())
            if not distances[window] <= artifact.facts['tolerance']:
                raise ValueError(
                    f'{artifact.path} no longer gives the {name} that it was exported with: they differ by '
                    f'{distances[window]:.2g} at golden window {window}, more than {artifact.facts["tolerance"]:g}'
                )
