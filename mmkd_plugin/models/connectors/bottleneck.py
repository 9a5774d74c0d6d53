"""A projector of three convolutions, for a student that takes over its teacher's classifier."""

from __future__ import annotations

from torch import Tensor, nn

from mmkd_plugin.registry import MODELS

from .base import Connector, Shape
from .plain import CONV, NORM

__all__ = ['BottleneckProjector']


@MODELS.register_module()
class BottleneckProjector(Connector):
    """1×1 to fewer channels, 3×3, 1×1 to the teacher's, each with batch norm and ReLU: ``(N, C, *S)`` to ``(N, C', *S)``.

    SimKD: Chen et al., CVPR 2022, section 3.2.

    Args:
        in_shape (tuple): ``(C, *S)``.
        goal (tuple): Only its number of channels is read.
        factor (int): Quotient of the goal's channels and those of the inner convolutions.

    Raises:
        ValueError: The factor does not divide the goal's channels.
    """

    def __init__(self, in_shape: Shape, goal: Shape, factor: int = 2) -> None:
        super().__init__(in_shape, goal)
        if goal[0] % factor:
            raise ValueError(f'BottleneckProjector: {goal[0]} channels are no multiple of the factor {factor}')
        dim, inner, links = len(in_shape) - 1, goal[0] // factor, []
        for width, out, kernel in ((in_shape[0], inner, 1), (inner, inner, 3), (inner, goal[0], 1)):
            links += [CONV[dim](width, out, kernel, padding=kernel // 2, bias=False), NORM[dim](out), nn.ReLU()]
        self.links = nn.Sequential(*links)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, *S)`` to ``(N, C', *S)``."""
        return self.links(x)
