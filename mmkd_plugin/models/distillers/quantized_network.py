"""Fake quantisation: a network in float whose weights and activations lie on the grid that its int8 export computes on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Taps

from .network import Network

__all__ = ['QuantizedNetwork', 'observe_ranges']

RECTIFIERS = ('relu', 'relu_', 'relu6', 'hardtanh', 'hardtanh_')
ASKING = ('dim', 'size', '__get__')  # functions that compute nothing
LEVELS = 255  # steps of a grid of 8 bits
# What the export quantises, by the names of torch's functions: with a weight, and without.
WEIGHTED = ('conv1d', 'conv2d', 'linear')
PLAIN = ('add', 'add_', 'cat')
POOLING = ('max_pool1d', 'max_pool2d', 'avg_pool1d', 'avg_pool2d', 'adaptive_avg_pool1d', 'adaptive_avg_pool2d')

# Is given every activation with its index, and returns what stands for it.
Visit = Callable[[int, Tensor], Tensor]


@MODELS.register_module()
class QuantizedNetwork(Network):
    """A network that learns on the grid of its int8 export (Jacob et al., CVPR 2018, https://arxiv.org/abs/1712.05877).

    Weights are rounded by output channel, symmetrically; what convolutions, linear layers, sums, concatenations and pooling
    read and write is rounded on the range that it had before the training. Gradients pass the rounding unchanged, and are 0
    beyond the range (section 3). Batch norms keep their statistics, since the export folds them into convolutions; whether
    that happens before or after the rounding is the same where every channel has a scale of its own.

    Unlike in the paper, ranges do not move while the network learns: the export measures them again.

    Args:
        ranges (Sequence[Sequence[float] | None]): Smallest and largest value of every activation, None for one that stays as it
            is; from :func:`observe_ranges`.
        **settings (Any): As for :class:`Network`.
    """

    _grids: list[tuple[float, int] | None] | None = None  # the network is probed without one while it is built

    def __init__(self, ranges: Sequence[Sequence[float] | None], **settings: Any) -> None:
        super().__init__(**settings)
        self._grids = [None if values is None else _grid(*values) for values in ranges]

    def train(self, mode: bool = True) -> QuantizedNetwork:
        """Set the mode; batch norms stay in eval mode."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
        return self

    def forward(self, x: Tensor) -> Taps:
        """Run the network once, on the grid.

        Raises:
            ValueError: The ranges are those of another network.
        """
        if self._grids is None:
            return super().forward(x)
        grids = self._grids
        with _Quantized(lambda index, value: _round(value, grids[index]), _round_weight, len(grids)) as mode:
            taps = super().forward(x)
        mode.check()
        return taps


@torch.no_grad()
def observe_ranges(network: Network, batches: Iterable[Tensor]) -> list[list[float] | None]:
    """Return the smallest and the largest value of every activation that the export quantises, in the order of computation.

    None stands for one that the export never writes, see :meth:`_Quantized.unwritten`.

    Args:
        network (Network): In eval mode.
        batches (Iterable[Tensor]): Samples of the view, ``(N, C, *S)`` each.
    """
    ranges: list[list[float] | None] = []

    def visit(index: int, value: Tensor) -> Tensor:
        low, high = value.min().item(), value.max().item()
        if index == len(ranges):
            ranges.append([low, high])
        known = ranges[index] or [low, high]
        ranges[index] = [min(known[0], low), max(known[1], high)]
        return value

    for batch in batches:
        with _Quantized(visit, lambda weight: weight) as mode:
            network(batch)
        for index in mode.unwritten():
            ranges[index] = None
    return ranges


class _Quantized(TorchFunctionMode):
    """Functions of torch, of which weights and activations are visited where the export quantises them.

    What a rectifier or a batch norm reads is left out: they are one with the convolution before them, or stay in float.

    Args:
        visit (Visit): Activations.
        weight (Callable): Returns what stands for a weight.
        count (int, optional): Number of activations that are expected.
    """

    def __init__(self, visit: Visit, weight: Callable[[Tensor], Tensor], count: int | None = None) -> None:
        super().__init__()
        self._visit, self._weight, self._count, self._index = visit, weight, count, 0
        self._outputs: dict[int, tuple[str, Tensor]] = {}  # functions with what they have written, by index
        self._readers: dict[int, list[str]] = defaultdict(list)  # functions by the id of what they have read

    def check(self) -> None:
        """See that as many activations were visited as were expected."""
        if self._index != self._count:
            raise ValueError(f'the ranges are of another network: there are {self._count}, {self._index} were expected')

    def unwritten(self) -> list[int]:
        """Return the activations that the export never writes, by index.

        A batch norm or a rectifier that alone reads a convolution is one with it, and so is a rectifier with a sum. Where
        another function alone reads it, that function rounds what it reads.
        """
        return [
            index
            for index, (function, value) in self._outputs.items()
            if len(self._readers[id(value)]) == 1 and (function in WEIGHTED or self._readers[id(value)][0] in RECTIFIERS)
        ]

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        """Run a function of torch."""
        name, kwargs = getattr(func, '__name__', ''), kwargs or {}
        for value in args:
            if isinstance(value, Tensor) and name not in ASKING:
                self._readers[id(value)].append(name)
        if name in WEIGHTED:
            source, weight, *others = args
            output = func(self._activation(source), self._weight(weight), *others, **kwargs)
        elif name in (*PLAIN, *POOLING):
            output = func(*map(self._activation, args), **kwargs)
        else:
            return func(*args, **kwargs)
        before, output = self._index, self._activation(output)
        if name not in POOLING and self._count is None and self._index > before:
            self._outputs[self._index - 1] = name, output  # kept, so that nothing else gets its id
            self._readers[id(output)] = []
        return output

    def _activation(self, value: Any) -> Any:
        """Visit an activation, or those of a list; all else, as a kernel size, is returned as it is."""
        if isinstance(value, (list, tuple)) and value and all(isinstance(entry, Tensor) for entry in value):
            return [self._activation(entry) for entry in value]
        if not isinstance(value, Tensor) or not value.is_floating_point() or value.dim() < 2:
            return value
        if self._count is not None and self._index >= self._count:
            raise ValueError(f'the ranges are of another network: there are {self._count}, and more were expected')
        self._index += 1
        return self._visit(self._index - 1, value)


def _grid(low: float, high: float) -> tuple[float, int]:
    """Return scale and zero point of int8 for a range, which 0 belongs to."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / LEVELS or 1.0
    return scale, round(-128 - low / scale)


def _round(value: Tensor, grid: tuple[float, int] | None) -> Tensor:
    if grid is None:
        return value
    scale, zero = grid
    return torch.fake_quantize_per_tensor_affine(value, scale, zero, -128, 127)


def _round_weight(weight: Tensor) -> Tensor:
    """Round a weight ``(O, ...)`` by output channel."""
    scale = weight.detach().abs().flatten(1).amax(1).float().clamp_min(torch.finfo(torch.float32).tiny) / 127  # (O, )
    zero = torch.zeros_like(scale, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -127, 127)
