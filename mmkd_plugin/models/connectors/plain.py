"""Plain connectors: a linear map, a convolution, a change of size, batch norm with ReLU."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mmkd_plugin.functional import interpolate
from mmkd_plugin.registry import MODELS

from .base import Connector, Shape

__all__ = ['ConvConnector', 'LinearConnector', 'NormReLU', 'Resize', 'resize']

CONV = {1: nn.Conv1d, 2: nn.Conv2d}
NORM = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}


def resize(x: Tensor, size: Sequence[int]) -> Tensor:
    """Change the size of a map, by averages over equal parts where it shrinks and linear interpolation where it grows.

    Averages match the piecewise aggregation of a signal before its Gramian angular field. Both work on each axis alone.

    Args:
        x (Tensor): ``(N, C, *S)``.
        size (Sequence[int]): The new S.

    Returns:
        Tensor: ``(N, C, *size)``.
    """
    size = tuple(size)
    shrinks = all(new <= old for new, old in zip(size, x.shape[2:]))
    return interpolate(x, size, 'area' if shrinks else 'linear')


def _space(shape: Shape, name: str, allowed: tuple[int, ...]) -> int:
    """Return the number of space axes of ``(C, *S)``, checked against those that the connector supports."""
    dim = len(shape) - 1
    if dim not in allowed:
        expected = ' or '.join('(C' + ', S' * d + ')' for d in allowed)
        raise ValueError(f'{name} reads {expected}, got a feature of shape {shape}')
    return dim


@MODELS.register_module()
class LinearConnector(Connector):
    """A linear map between vectors: ``(N, C)`` to ``(N, C')``. FitNets (Romero et al., ICLR 2015, section 2.2) for vectors."""

    def __init__(self, in_shape: Shape, goal: Shape, bias: bool = True) -> None:
        super().__init__(in_shape, goal)
        _space(in_shape, 'LinearConnector', (0,))
        _space(goal, 'LinearConnector', (0,))
        self.map = nn.Linear(in_shape[0], goal[0], bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C)`` to ``(N, C')``."""
        return self.map(x)


@MODELS.register_module()
class ConvConnector(Connector):
    """A convolution to the teacher's number of channels, the size unchanged: ``(N, C, *S)`` to ``(N, C', *S)``.

    FitNets (Romero et al., ICLR 2015, section 2.2).

    Args:
        in_shape (tuple): ``(C, L)`` or ``(C, H, W)``.
        goal (tuple): Only its number of channels is read.
        kernel_size (int): Odd.
    """

    def __init__(self, in_shape: Shape, goal: Shape, kernel_size: int = 1) -> None:
        super().__init__(in_shape, goal)
        if kernel_size % 2 == 0:
            raise ValueError(f'ConvConnector keeps the size, so kernel_size must be odd, got {kernel_size}')
        dim = _space(in_shape, 'ConvConnector', (1, 2))
        self.map = CONV[dim](in_shape[0], goal[0], kernel_size, padding=kernel_size // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, *S)`` to ``(N, C', *S)``."""
        return self.map(x)


@MODELS.register_module()
class Resize(Connector):
    """Change to the goal's size by :func:`resize` with unchanged channels: ``(N, C, *S)`` to ``(N, C, *S')``."""

    def __init__(self, in_shape: Shape, goal: Shape) -> None:
        super().__init__(in_shape, goal)
        if len(in_shape) != len(goal):
            raise ValueError(f'Resize keeps the number of axes, got {in_shape} for the goal {goal}; Lift goes from 1D to 2D')
        _space(in_shape, 'Resize', (1, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, *S)`` to ``(N, C, *S')``."""
        return resize(x, self.goal[1:])


@MODELS.register_module()
class NormReLU(Connector):
    """Batch norm, then ReLU where the teacher's feature has gone through one: the end of FAM's L2L chain.

    Args:
        in_shape (tuple): ``(C, *S)``.
        goal (tuple): Not used.
        relu (bool): Whether to apply ReLU; False for features that may be negative.
    """

    def __init__(self, in_shape: Shape, goal: Shape, relu: bool = True) -> None:
        super().__init__(in_shape, goal)
        self.norm = NORM[_space(in_shape, 'NormReLU', (0, 1, 2))](in_shape[0])
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, *S)`` to ``(N, C, *S)``."""
        x = self.norm(x)
        return F.relu(x) if self.relu else x
