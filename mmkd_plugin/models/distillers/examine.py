"""Examination of a distiller's terms on one batch: which of them move a learner, and which only seem to."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mmkd_plugin.engine import training_progress

from .lazy_taps import LazyTaps, labels_and_indices

if TYPE_CHECKING:
    from .distiller import Distiller

__all__ = ['Examination', 'TermReport', 'examine']


@dataclass(frozen=True)
class TermReport:
    """One term of the objective on one batch.

    Attributes:
        name (str): Name of the learner or the transfer.
        value (float): Value of the term, with its weight.
        gradient (float): Norm of the term's gradient on the parameters of its learner.
        weight (float): λ now.
        idle (bool): Whether the term is switched off now; value and gradient are then those at weight 1.
    """

    name: str
    value: float
    gradient: float
    weight: float
    idle: bool = False


@dataclass(frozen=True)
class Examination:
    """Terms and faults of one batch.

    Attributes:
        terms (tuple[TermReport, ...]): Terms of all learners, then of all transfers.
        faults (tuple[str, ...]): Broken rules, a sentence each; empty if all is well.
    """

    terms: tuple[TermReport, ...]
    faults: tuple[str, ...]

    def table(self) -> str:
        """Return lines to print: term, weight, value, share of the total, gradient."""
        total = sum(abs(term.value) for term in self.terms if not term.idle) or 1.0
        width = max(len(term.name) for term in self.terms)
        lines = [f'{"term":{width}}  {"weight":>8}  {"value":>10}  {"share":>6}  {"gradient":>10}']
        for term in self.terms:
            share = '-' if term.idle else f'{100 * abs(term.value) / total:.0f} %'
            off = '  (switched off now; at weight 1)' if term.idle else ''
            lines.append(
                f'{term.name:{width}}  {term.weight:>8.3g}  {term.value:>10.4g}  {share:>6}  {term.gradient:>10.3g}{off}'
            )
        return '\n'.join(lines)


def examine(model: Distiller, data: dict) -> Examination:
    """Run one training batch through a copy of the model and follow every term's gradient to its learner.

    The model, its batch statistics and the random state are left as they were.

    Args:
        model (Distiller): As it is trained.
        data (dict): A batch of the training loader.

    Returns:
        Examination: Terms and faults. A fault is a term without a gradient, a value that is not finite (with its first
        occurrence), a teacher that is in training mode or would get a gradient, and a view that was not made of its window.
    """
    faults = _teacher_faults(model)
    model, active = copy.deepcopy(model).train(), model.active
    model.enter_phase(None)  # every transfer is examined, whatever the phase
    devices = [p.device for p in model.parameters() if p.is_cuda][:1]
    with torch.random.fork_rng(devices):
        batch = model.data_preprocessor(data, True)
        _, index = labels_and_indices(batch['data_samples'])
        taps = LazyTaps(model, batch['inputs'], index, batch['data_samples'])
        faults += _views_apart(model, data, batch['inputs'])
        faults += _first_not_finite(model, batch['inputs'], taps)
        terms = _terms(model, taps, batch['data_samples'], active)
    for term in terms:
        if not math.isfinite(term.value) or not math.isfinite(term.gradient):
            faults.append(f"'{term.name}' is not finite: value {term.value}, gradient {term.gradient}")
        elif term.gradient == 0 and (term.weight or term.idle):
            faults.append(f"'{term.name}' is dead: its value is {term.value:.4g}, its gradient on the learner is zero")
    return Examination(tuple(terms), tuple(faults))


def _terms(model: Distiller, taps: LazyTaps, data_samples: list, active: frozenset[str]) -> list[TermReport]:
    labels, index = labels_and_indices(data_samples)
    progress = training_progress()
    terms = []
    for name, learner in model.learners.items():
        weight = model.ce_weights[name]
        loss = weight * model.judge(name).loss(taps[name].logits, data_samples)
        off = name not in active
        terms.append(TermReport(name, loss.item(), _gradient_norm(loss, learner), 0.0 if off else weight, idle=off))
    for name, transfer in model.transfers.items():
        weight = transfer.schedule(progress) if name in active else 0.0
        value = transfer(taps, labels, weight or 1.0, index)
        learner = model.learners[transfer.target.node]
        terms.append(TermReport(name, value.item(), _gradient_norm(value, learner), weight, idle=not weight))
    return terms


def _gradient_norm(term: Tensor, learner: nn.Module) -> float:
    if not term.requires_grad:
        return 0.0
    parameters = [p for p in learner.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(term, parameters, retain_graph=True, allow_unused=True)
    return math.sqrt(sum(g.double().square().sum().item() for g in gradients if g is not None))


def _teacher_faults(model: Distiller) -> list[str]:
    faults = []
    for name, teacher in model.teachers.items():
        if any(module.training for module in teacher.modules()):
            faults.append(f"teacher '{name}' is in training mode: its batch statistics would follow the student's batches")
        if any(p.requires_grad or p.grad is not None for p in teacher.parameters()):
            faults.append(f"teacher '{name}' is not frozen: its parameters would get a gradient")
    return faults


def _views_apart(model: Distiller, data: dict, inputs: dict[str, Tensor]) -> list[str]:
    """Make the views of the first and the last window again, each alone, and compare."""
    faults, windows = [], data['inputs']
    for row in sorted({0, len(data['data_samples']) - 1}):
        several = isinstance(windows, Mapping)
        window = {name: of[row][None] for name, of in windows.items()} if several else windows[row][None]
        alone = {'inputs': window, 'data_samples': [data['data_samples'][row]]}
        again = model.data_preprocessor.encode(alone, inputs)
        faults += [
            f"view '{view}' of sample {row} does not describe its window"
            for view in inputs
            if not torch.allclose(again[view][0], inputs[view][row], rtol=1e-4, atol=1e-5, equal_nan=True)
        ]
    return faults


def _first_not_finite(model: Distiller, inputs: dict[str, Tensor], taps: LazyTaps) -> list[str]:
    """Name the first NaN or infinity, following the data: views, then networks from shallow to deep."""
    for view, value in inputs.items():
        if not torch.isfinite(value).all():
            return [f"view '{view}' has values that are not finite"]
    for name in taps:
        values = {f'stages.{i}': stage for i, stage in enumerate(taps[name].stages)}
        values.update(embedding=taps[name].embedding, logits=taps[name].logits)
        for tap, value in values.items():
            if value is not None and not torch.isfinite(value).all():
                return [f"network '{name}' gives values that are not finite, first at {tap}"]
    return []
