"""Lift of a feature over time to a feature over pairs of times, like a Gramian angular field of the signal."""

from __future__ import annotations

from torch import Tensor

from mmkd_plugin.registry import MODELS

from .base import Connector, Shape
from .plain import resize

__all__ = ['Lift']


@MODELS.register_module()
class Lift(Connector):
    """From 1D to 2D: ``(N, C, L)`` to ``(N, C, H, W)``, the size being the goal's.

    With x resized along time to H for the rows and to W for the columns, the value at (i, j) is

    - ``outer``: x_i · x_j, the feature's own Gramian;
    - ``repeat``: x_j broadcast along the rows and x_i along the columns, averaged, so that the map is symmetric;
    - ``sum``: x_i + x_j.

    Resizing works on each axis alone, so resizing before the lift equals resizing the L×L map after the lift, without ever
    storing that map.

    Args:
        in_shape (tuple): ``(C, L)``.
        goal (tuple): ``(C', H, W)``; the number of channels is left to the next connector.
        mode (str): 'outer', 'repeat' or 'sum'.

    Raises:
        ValueError: A shape has another number of axes, or the mode is unknown.
    """

    def __init__(self, in_shape: Shape, goal: Shape, mode: str = 'outer') -> None:
        super().__init__(in_shape, goal)
        if len(in_shape) != 2 or len(goal) != 3:
            raise ValueError(f'Lift goes from (C, L) to (C, H, W), got {in_shape} and the goal {goal}')
        if mode not in ('outer', 'repeat', 'sum'):
            raise ValueError(f"mode must be 'outer', 'repeat' or 'sum', got {mode!r}")
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, L)`` to ``(N, C, H, W)``."""
        rows = resize(x, self.goal[1:2])[..., :, None]  # (N, C, H, 1)
        columns = resize(x, self.goal[2:])[..., None, :]  # (N, C, 1, W)
        if self.mode == 'outer':
            return rows * columns  # (N, C, H, W)
        total = rows + columns  # (N, C, H, W)
        return total / 2 if self.mode == 'repeat' else total
