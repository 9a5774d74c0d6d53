"""Deployed student: from recorded samples to logits, with nothing of the run that has trained it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmkd_plugin.datasets import Windows, recorded_window
from mmkd_plugin.failures import reworded
from mmkd_plugin.fileio import check_weights, facts_hash, load_checkpoint, state_fingerprint
from mmkd_plugin.registry import MODELS, TRANSFORMS, build_checked, find_type, foreign_type

from .bounds import bounded_by, check_size
from .contract import Contract, plain_values

__all__ = ['GOLDEN', 'Student', 'load_student', 'normalization', 'pack_student']

GOLDEN = 8  # windows that are kept with their logits
TOLERANCE = 1e-3  # that logits may differ by between two machines, as a share of the largest


class Student(nn.Module):
    """A trained network with its normaliser and its encoder: ``(N, C, T)`` as recorded to logits ``(N, K)``.

    Weights are not loaded here, see :func:`load_student`.

    Args:
        contract (Contract): With the network, the normaliser and the view, of registered classes.

    Attributes:
        golden (Mapping[str, Tensor]): Golden windows of the file, ``signal`` as recorded and ``logits``; empty where there are
            none.

    Raises:
        ValueError: The contract does not say how the network reads a signal, or its parts cannot be built.
    """

    offset: Tensor
    scale: Tensor
    golden: Mapping[str, Tensor]

    def __init__(self, contract: Contract) -> None:
        super().__init__()
        for name in ('network', 'normalizer', 'view'):
            if getattr(contract, name) is None:
                raise ValueError(f'the contract does not know the {name} of the student')
        foreign = foreign_type([contract.network, contract.view or {}, contract.normalizer])
        if foreign is not None:
            raise ValueError(f"the contract names '{foreign}', which is no registered class: no file may name what is imported")
        self.contract, self.golden = contract, {}
        offset, scale = normalization(contract)
        self.register_buffer('offset', torch.from_numpy(offset), persistent=False)  # (C, 1)
        self.register_buffer('scale', torch.from_numpy(scale), persistent=False)  # (C, 1)
        self.encoder: nn.Module | None = build_checked(contract.view, MODELS, 'view') if contract.view else None
        if getattr(self.encoder, 'by_window', False):
            raise ValueError(
                f'the student reads {type(self.encoder).__name__}, images that exist for the windows of its run alone'
            )
        if _has_factory(contract.network or {}):
            raise ValueError('the student is an ExternalNetwork, whose code no file may name: run it by the config of its run')
        sample = self.encode(torch.zeros(1, *contract.shape))
        sizes = dict(type='Network', sample_shape=tuple(sample.shape[1:]), num_classes=len(contract.classes))
        self.network = build_checked({**sizes, **(contract.network or {})}, MODELS, 'network')
        self.eval()

    def encode(self, signal: Tensor) -> Tensor:
        """Return what the network reads: the normalised signal ``(N, C, T)``, or its image ``(N, C, S, S)``."""
        signal = (signal - self.offset) * self.scale
        return signal if self.encoder is None else self.encoder(signal)

    def forward(self, signal: Tensor) -> Tensor:
        """Map windows as recorded, ``(N, C, T)`` float32 in the units of the contract, to logits ``(N, K)``."""
        return self.network(self.encode(signal)).logits

    @torch.no_grad()
    def probabilities(self, signal: Tensor) -> np.ndarray:
        """Return the probabilities of the classes ``(N, K)`` in windows as recorded, ``(N, C, T)`` on any device."""
        return self(signal.to(self.offset.device)).cpu().softmax(1).numpy()


def load_student(path: str | Path) -> Student:
    """Load a student that a run has exported, ``<name>_best.pth`` or ``<name>_last.pth``; neither config nor data are needed.

    Args:
        path (str | Path): The file.

    Returns:
        Student: On the CPU, in eval mode.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or changed, or no exported student.
    """
    checkpoint = load_checkpoint(path)
    meta = checkpoint.get('meta') or {}
    if 'contract' not in meta:
        raise ValueError(f'{path} has no contract, which says what the network reads: a file as student_best.pth is needed')
    try:
        contract = Contract.from_meta(meta)
        if contract is None or contract.network is None:
            raise ValueError('it holds no network that reads a signal on its own: a file as student_best.pth is needed')
        if meta.get('contract_sha256') != facts_hash(meta['contract']):
            raise ValueError('its contract has been changed since the student was exported')
        if contract.weights != state_fingerprint(checkpoint['state_dict']):
            raise ValueError('its weights are not those that the contract speaks of')
        golden = checkpoint.get('golden') or {}
        if golden and not contract.fits_golden(golden.get('signal'), golden.get('logits')):
            raise ValueError('its golden windows are not those of its contract')
        student = _build(contract, checkpoint['state_dict'])
        check_weights(student.network.state_dict(), checkpoint['state_dict'], 'the file')
        student.network.load_state_dict(checkpoint['state_dict'])
        student.eval()
        student.golden = golden
        with reworded('its network cannot run', passing=ValueError, named=True):
            _compare(student, golden)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    return student


def _build(contract: Contract, state: Mapping[str, Tensor]) -> Student:
    check_size(contract)
    # A contract may give a network any argument.
    with reworded('its network cannot be built', passing=ValueError, named=True), bounded_by(state):
        return Student(contract)


def pack_student(
    contract: Contract | None,
    state: Mapping[str, Tensor],
    network: Mapping | None,
    figures: Mapping[str, Any],
    dataset: Any = None,
) -> dict[str, Any]:
    """Return what :func:`load_student` needs, for a checkpoint: ``state_dict``, ``golden`` and, in ``meta``, the contract.

    Args:
        contract (Contract, optional): Of the data; None where they know no channels, and nothing but weights is packed then.
        state (Mapping[str, Tensor]): Weights of the network.
        network (Mapping, optional): Its config; None for a network that reads the features of others.
        figures (Mapping): Its metrics under 'val' and 'test'.
        dataset (WindowDataset, optional): Windows out of which a few are kept as recorded, with the student's logits.

    Returns:
        dict: Of plain values and tensors.
    """
    packed: dict[str, Any] = {'meta': {}, 'state_dict': dict(state)}
    if contract is None:
        return packed
    known = plain_values({'network': network, 'weights': state_fingerprint(state), 'figures': figures})
    contract = dataclasses.replace(contract, **known)
    facts = contract.to_meta()
    packed['meta'] = {'contract': facts, 'contract_sha256': facts_hash(facts)}
    windows = getattr(dataset, 'data_list', None)
    try:
        student = Student(contract)
    except ValueError:  # said where somebody wants to use it: the run itself has come to a good end
        return packed
    if isinstance(windows, Windows):
        student.network.load_state_dict(state)
        chosen = sorted({len(windows) * part // GOLDEN for part in range(GOLDEN)})  # all over the split
        rows = contract.rows(dataset.metainfo)
        recorded = [recorded_window(windows, dataset.streams, index, contract.stream)[:, rows].T for index in chosen]
        signal = torch.from_numpy(np.stack(recorded).astype(np.float32))
        with torch.no_grad():
            packed['golden'] = {'signal': signal, 'logits': student(signal)}
    return packed


def _has_factory(network: Any) -> bool:
    """Return whether a network, or a part of it, would import and call a function: a file must not say which."""
    if isinstance(network, (list, tuple)):
        return any(map(_has_factory, network))
    if not isinstance(network, Mapping):
        return False
    kind = find_type(MODELS, network['type']) if 'type' in network else None
    return getattr(kind, 'from_config_alone', False) or any(map(_has_factory, network.values()))


def normalization(contract: Contract) -> tuple[np.ndarray, np.ndarray]:
    """Return what the normaliser subtracts from the channels and multiplies them by then, ``(C, 1)`` float32 each.

    Raises:
        ValueError: The contract has another normaliser than one NormalizeSignal, or none.
    """
    statistics = {name: np.array(values, dtype=np.float32) for name, values in contract.statistics.items()}
    offset, scale = (np.full((len(contract.channels), 1), value, dtype=np.float32) for value in (0, 1))
    normalizer = contract.normalizer or ()
    for entry in normalizer:
        kind = find_type(TRANSFORMS, entry['type'])
        if len(normalizer) > 1 or not hasattr(kind, 'scaling'):
            names = ', '.join(str(entry['type']) for entry in normalizer)
            raise ValueError(f'signals go through {names}; a deployed student can do no more than one NormalizeSignal')
        offset, scale = build_checked(entry, TRANSFORMS, 'normalizer').scaling(statistics)
    return offset.astype(np.float32), scale.astype(np.float32)


@torch.no_grad()
def _compare(student: Student, golden: Mapping[str, Tensor]) -> None:
    """See that the student gives a logit of each class, and those that were kept with it."""
    contract = student.contract
    signal = golden['signal'] if golden else torch.zeros(1, *contract.shape)
    logits = student(signal)
    if logits.shape != (len(signal), len(contract.classes)):
        raise ValueError(
            f'its network gives {tuple(logits.shape[1:])} outputs of a window, '
            f'and the contract names {len(contract.classes)} classes'
        )
    if not golden:
        return
    largest = golden['logits'].abs().max().clamp_min(1)
    difference = (logits - golden['logits']).abs().max() / largest
    if not difference <= TOLERANCE:
        raise ValueError(
            f'the student no longer gives the logits that it was exported with: they differ by {difference:.2g} of the largest'
        )
