"""Weights by a small network that learns beside the student which teacher helps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.dist import broadcast
from torch import Tensor, nn

from mmkd_plugin.functional.precision import in_full_precision
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import check_number

__all__ = ['Learned']


@MODELS.register_module()
class Learned(nn.Module):
    """Softmax over the teachers of two linear layers that read the logits of all teachers and of the student, per sample.

    MMKD: Zhang, Chen & Wang, "Adaptive Multi-Teacher Knowledge Distillation with Meta-Learning" (ICME 2023,
    https://arxiv.org/abs/2306.06634). The meta step of a :class:`~mmkd_plugin.models.MetaDistiller` trains the network, and not
    the student's optimiser: numbers and moments are buffers, so that they are in neither optimiser nor the gradients that
    processes exchange, but in every checkpoint.

    Departure: the published weights of features come from the rows of the batch's Gram matrices, which ties that network to one
    batch size and drops the last batch of an epoch; here both weights come from responses, each by a network of its own.

    Args:
        names (Sequence[str]): Names of the source networks, given by the transfer.
        factor (float): Width of the input over that of the hidden layer, above 0.

    Raises:
        ValueError: The factor is out of range.
    """

    of = 'responses'  # the transfer hands over the student's logits after those of the sources

    network: Tensor
    mean: Tensor
    square: Tensor
    steps: Tensor

    def __init__(self, names: Sequence[str], factor: float = 2.0) -> None:
        super().__init__()
        self.names, self.factor = tuple(names), check_number('factor', factor, above=0)
        self.shapes: tuple[tuple[int, ...], ...] = ()

    def bind(self, classes: Sequence[int]) -> None:
        """Size the network, and fill it as torch fills linear layers.

        Args:
            classes (Sequence[int]): Number of classes of each source and of the student.
        """
        width = sum(classes)
        hidden = max(1, int(width // self.factor))
        layers = nn.Linear(width, hidden), nn.Linear(hidden, len(self.names))
        values = [p.detach() for layer in layers for p in layer.parameters()]
        self.shapes = tuple(tuple(p.shape) for p in values)
        self.register_buffer('network', torch.cat([p.flatten() for p in values]))
        for name in ('mean', 'square'):  # Adam's moments
            self.register_buffer(name, torch.zeros_like(self.network))
        self.register_buffer('steps', torch.zeros(()))

    @in_full_precision
    def forward(self, logits: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the weights of the teachers, with a gradient where the network's numbers have one.

        Args:
            logits (Sequence[Tensor]): Logits of each source and of the student, ``(N, K)``.
            labels (Tensor): ``(N, )``, not used.

        Returns:
            Tensor: ``(T, N)``.
        """
        parts = self.network.split([torch.Size(shape).numel() for shape in self.shapes])
        weight, bias, out_weight, out_bias = (part.view(shape) for part, shape in zip(parts, self.shapes))
        state = torch.cat([z.detach() for z in logits], 1)  # (N, width)
        scores = F.linear(F.linear(state, weight, bias).relu(), out_weight, out_bias)  # (N, T)
        return scores.softmax(1).T

    def learn(self, gradient: Tensor, lr: float, weight_decay: float) -> None:
        """Take one step of Adam, the same in every process.

        Args:
            gradient (Tensor): Of the network's numbers, ``(P, )``.
            lr (float): Learning rate.
            weight_decay (float): Factor of the numbers that is added to their gradient.
        """
        numbers = nn.Parameter(self.network)  # shares memory, as the moments do
        optimizer = torch.optim.Adam([numbers], lr=lr, weight_decay=weight_decay)
        optimizer.state[numbers] = dict(step=self.steps, exp_avg=self.mean, exp_avg_sq=self.square)
        numbers.grad = gradient
        optimizer.step()
        broadcast(self.network)
