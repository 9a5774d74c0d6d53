"""Distiller whose teachers are weighed by networks that learn what helps the student."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor
from torch.func import functional_call

from mmkd_plugin.engine import evaluating, training_progress
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import check_number, check_whole

from .distiller import Distiller
from .hard_buffer import HardBuffer
from .lazy_taps import LazyTaps, labels_and_indices
from .teacher_cache import needed_taps, read_tap, sample_taps

__all__ = ['MetaDistiller']


@MODELS.register_module()
class MetaDistiller(Distiller):
    """MMKD: the networks of ``weighting=dict(type='Learned')`` learn from the student's label loss after a virtual step.

    Zhang, Chen & Wang, "Adaptive Multi-Teacher Knowledge Distillation with Meta-Learning" (ICME 2023,
    https://arxiv.org/abs/2306.06634). Every few iterations ``MetaHook`` lets students and connectors take one plain gradient
    step on a buffer of hard training samples, by the weighted transfers alone. The label loss on the buffer after that step is
    differentiated through the step, back to the networks that gave the weights; then the step is taken back. A meta step is
    computed in float32, also where training is not.

    Departures: one virtual step by plain gradient descent, where the published code takes two by its transfers and one by
    labels, with momentum; and the whole buffer is read, which has the newest hard samples, where theirs draws from 256.

    Args:
        meta_interval (int): Iterations from one meta step to the next.
        meta_lr (float): Learning rate of the weighing networks, above 0.
        meta_weight_decay (float): Their weight decay.
        buffer_size (int): Samples in the buffer.
        **distiller: See :class:`Distiller`.

    Raises:
        ValueError: A number is out of range, no transfer or one with a memory bank has learned weights, or a learner is
            compiled, which has no second derivative.
    """

    trains_weights = True

    def __init__(
        self,
        meta_interval: int = 5,
        meta_lr: float = 1e-3,
        meta_weight_decay: float = 1e-4,
        buffer_size: int = 64,
        **distiller,
    ) -> None:
        entries = distiller.get('learners')  # what else is wrong with them is said below
        learners = entries.items() if isinstance(entries, Mapping) else ()
        compiled = [name for name, cfg in learners if isinstance(cfg, Mapping) and cfg.get('compile')]
        if compiled:
            raise ValueError(f'learner(s) {", ".join(compiled)}: what torch compiles has no second derivative; drop compile')
        super().__init__(**distiller)
        self.meta_interval = check_whole('meta_interval', meta_interval)
        self.meta_lr = check_number('meta_lr', meta_lr, above=0)
        self.meta_weight_decay = check_number('meta_weight_decay', meta_weight_decay)
        self.learned = tuple(name for name, transfer in self.transfers.items() if transfer.weighted_by == 'responses')
        if not self.learned:
            raise ValueError("a MetaDistiller needs a transfer with weighting=dict(type='Learned')")
        banks = [name for name in self.learned if self.transfers[name].has_memory_bank]
        if banks:
            raise ValueError(f'{", ".join(banks)}: a virtual step would change the memory bank; choose another weighting')
        self.buffer = HardBuffer(check_whole('buffer_size', buffer_size), self._plan_buffer())

    def _plan_buffer(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of what a meta step reads of a sample: the learners' views, and outputs of the teachers."""
        own = {name: network for name, network in self.learners.items() if name in self.views}
        shapes = {f'view/{self.views[name]}': tuple(network.sample_shape) for name, network in own.items()}
        sources = [source for name in self.learned for source in self.transfers[name].sources]
        self.outputs: dict[str, list[str]] = {}
        for name in dict.fromkeys(source.node for source in sources if source.node in self.teachers):
            taps = sample_taps(self.teachers[name])
            self.outputs[name] = needed_taps([s for s in sources if s.node == name], len(taps.stages))
            shapes.update({f'{name}.{tap}': tuple(read_tap(taps, tap).shape[1:]) for tap in self.outputs[name]})
        return shapes

    def forward(self, inputs: dict[str, Tensor], data_samples: list[DataSample] | None = None, mode: str = 'tensor'):
        """Run the model as a distiller; in the mode 'meta' return the two terms of a meta step.

        Args:
            inputs (dict[str, Tensor]): Views; in the mode 'meta' what the buffer gives.
            data_samples (list[DataSample], optional): See :class:`Distiller`.
            mode (str): 'meta', or a mode of :class:`Distiller`.

        Returns:
            Any: See :class:`Distiller`; in the mode 'meta' the sum of the weighted transfers and that of the label losses.
        """
        if mode != 'meta':
            return super().forward(inputs, data_samples, mode)
        taps = LazyTaps(self, {name[5:]: value for name, value in inputs.items() if name.startswith('view/')})
        for name, outputs in self.outputs.items():
            taps.taps[name] = self.teachers[name].assemble({tap: inputs[f'{name}.{tap}'] for tap in outputs})
        labels, progress = inputs['labels'], training_progress()
        transfers = [self.transfers[name] for name in self.learned if name in self.active]
        matching = torch.stack([transfer(taps, labels, transfer.schedule(progress)) for transfer in transfers])
        students = dict.fromkeys(transfer.target.node for transfer in transfers)
        return matching.sum(), torch.stack([F.cross_entropy(taps[name].logits, labels) for name in students]).sum()

    def meta_step(self, data: dict, lr: float) -> None:
        """Take the hard samples of a batch into the buffer and, once that is full, train the networks that weigh the teachers.

        Args:
            data (dict): A batch of the training loader.
            lr (float): Learning rate of the student, which is that of the virtual step.
        """
        batch = self.data_preprocessor(data, True)
        labels, index = labels_and_indices(batch['data_samples'])
        with evaluating(self):
            taps = LazyTaps(self, batch['inputs'], index, batch['data_samples'])
            values = {f'view/{view}': value for view, value in batch['inputs'].items()}
            for name, outputs in self.outputs.items():
                values.update({f'{name}.{tap}': read_tap(taps[name], tap) for tap in outputs})
            masks = [taps[name].present for name in self.outputs]
            whole = [mask for mask in masks if mask is not None]  # a window that lacks a teacher's stream stays out
            hard = taps[self.deployed].logits.argmax(1) != labels
            self.buffer.put({**values, 'labels': labels}, hard, torch.stack(whole).all(0) if whole else None)
        if self.buffer.full and self.active & set(self.learned):
            for name, gradient in self.meta_gradients(lr).items():
                self.transfers[name].weighting.learn(gradient, self.meta_lr, self.meta_weight_decay)

    def meta_gradients(self, lr: float) -> dict[str, Tensor]:
        """Return the gradient of the label loss after a virtual step, by the networks that gave the weights of that step.

        Args:
            lr (float): Learning rate of the virtual step.

        Returns:
            dict[str, Tensor]: ``(P, )`` by name of the transfer; zeros for one that is switched off.
        """
        numbers = {f'transfers.{n}.weighting.network': self.transfers[n].weighting.network.clone() for n in self.learned}
        weights = {name: p.detach() for name, p in self.named_parameters() if p.requires_grad}
        with torch.enable_grad():
            for leaf in (*numbers.values(), *weights.values()):
                leaf.requires_grad_()
            matching, _ = self._run_with({**weights, **numbers})
            slopes = torch.autograd.grad(matching, list(weights.values()), create_graph=True, allow_unused=True)
            moved = {n: w if slope is None else w - lr * slope for (n, w), slope in zip(weights.items(), slopes)}
            _, label = self._run_with({**moved, **numbers})
            gradients = torch.autograd.grad(label, list(numbers.values()), allow_unused=True, materialize_grads=True)
        return dict(zip(self.learned, gradients))

    def _run_with(self, state: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Run the mode 'meta' on the buffer with other weights, and with copies of the running statistics."""
        copies = {name: value.clone() for name, value in self.named_buffers() if not name.startswith('buffer.')}
        return functional_call(self, {**copies, **state}, (self.buffer.read(), None, 'meta'))
