"""Review form of FAM: deep features are handed up to shallow stages by local cross attention before each is filtered."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS

from .base import Connector, Shape
from .frequency_attention import FrequencyAttention
from .plain import NormReLU, Resize

__all__ = ['LocalCrossAttention', 'ReviewConnector']


class LocalCrossAttention(nn.Module):
    """Attention of every position of one map to the 3×3 positions around it in another.

    Queries come from ``deep``, keys and values from ``shallow``; the softmax is over the neighbours, for each group of channels
    on its own, and a learnable term for each relative position is added to the keys, half of the channels for rows and half for
    columns: Ramachandran et al., NeurIPS 2019, section 3. Neighbours beyond the border count as zeros, as in a padded
    convolution.

    Args:
        channels (int): A multiple of twice the number of groups.
        groups (int): Groups of channels, each with its own attention.
        kernel_size (int): Width of the neighbourhood in pixels, odd.
    """

    def __init__(self, channels: int, groups: int = 4, kernel_size: int = 3) -> None:
        super().__init__()
        if channels % (2 * groups):
            raise ValueError(f'channels must be a multiple of twice the {groups} groups, got {channels}')
        self.groups, self.kernel_size = groups, kernel_size
        self.query = nn.Conv2d(channels, channels, 1, bias=False)
        self.key = nn.Conv2d(channels, channels, 1, bias=False)
        self.value = nn.Conv2d(channels, channels, 1, bias=False)
        self.row_position = nn.Parameter(torch.randn(channels // 2, kernel_size, 1))
        self.column_position = nn.Parameter(torch.randn(channels // 2, 1, kernel_size))

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """``(N, C, H, W)`` and ``(N, C, H, W)`` to ``(N, C, H, W)``."""
        k, groups = self.kernel_size, self.groups
        query = self.query(deep)  # (N, C, H, W)
        # Neighbours are views of a padded map: no copy per neighbour is made.
        keys, values = (_neighbours(layer(shallow), k) for layer in (self.key, self.value))  # k² of (N, C, H, W)
        position = torch.cat([self.row_position.expand(-1, k, k), self.column_position.expand(-1, k, k)])  # (C, k, k)
        by_place = torch.einsum('ngchw,gcp->ngphw', _split(query, groups), position.view(groups, -1, k * k))
        by_key = torch.stack([_split(query * key, groups).sum(2) for key in keys], 2)
        attention = (by_place + by_key).softmax(2)  # (N, G, k², H, W)
        weighted = (attention[:, :, p, None] * _split(value, groups) for p, value in enumerate(values))
        return sum(weighted).flatten(1, 2)  # (N, C, H, W)


def _split(x: Tensor, groups: int) -> Tensor:
    """``(N, C, H, W)`` to ``(N, G, C / G, H, W)``."""
    return x.unflatten(1, (groups, -1))


def _neighbours(x: Tensor, k: int) -> list[Tensor]:
    """The map shifted by every offset of a k×k neighbourhood, zeros coming in, row by row."""
    height, width = x.shape[2:]
    padded = F.pad(x, [k // 2] * 4)
    return [padded[..., i : i + height, j : j + width] for i in range(k) for j in range(k)]


@MODELS.register_module()
class ReviewConnector(Connector):
    """From the deepest stage to the shallowest: hand the fused feature up, fuse it with this stage's, filter it.

    The review form of FAM: Pham et al., WACV 2024, section 3.3, after Chen et al., CVPR 2021. Every stage is brought to one
    number of channels by a 1×1 convolution and to its teacher's size; the deeper stage's fused feature is upsampled and asks
    this stage's (:class:`LocalCrossAttention`); :class:`FrequencyAttention`, batch norm and ReLU give the teacher's shape. The
    pooled vector of the paper's loss is an arrow of its own, between embeddings.

    Args:
        in_shape (tuple): Shape of every stage of the student, each ``(C, H, W)``, shallow to deep.
        goal (tuple): Shape of every stage of the teacher.
        mid_channels (int, optional): Channels of the fused feature; the student's deepest stage's by default.
        groups (int): Groups of the attention.
        cutoff (float): See :class:`FrequencyAttention`.
        variant (str): See :class:`FrequencyAttention`.
        relu (bool): See :class:`NormReLU`.
    """

    takes_stages = True

    def __init__(
        self,
        in_shape: Shape,
        goal: Shape,
        mid_channels: int | None = None,
        groups: int = 4,
        cutoff: float = 0.1,
        variant: str = 'reference',
        relu: bool = True,
    ) -> None:
        super().__init__(in_shape, goal)
        if any(len(shape) != 3 for shape in in_shape):
            raise ValueError(f'ReviewConnector reads stages of shape (C, H, W), got {list(in_shape)}; put a Lift before it')
        mid = mid_channels or in_shape[-1][0]
        inner = [(mid, *shape[1:]) for shape in goal]
        self.reduce = nn.ModuleList(
            nn.Sequential(Resize(i, g), nn.Conv2d(i[0], mid, 1, bias=False), nn.BatchNorm2d(mid))
            for i, g in zip(in_shape, goal)
        )
        self.attend = nn.ModuleList(LocalCrossAttention(mid, groups) for _ in in_shape[1:])
        self.filter = nn.ModuleList(
            nn.Sequential(FrequencyAttention(i, g, cutoff, variant), NormReLU(g, g, relu)) for i, g in zip(inner, goal)
        )

    def forward(self, stages: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """One ``(N, C, H, W)`` per stage to one ``(N, C', H', W')`` per stage."""
        out: list[Tensor] = []
        fused = None
        for level in reversed(range(len(stages))):
            x = self.reduce[level](stages[level])  # (N, M, H', W')
            if fused is not None:
                deep = F.interpolate(fused, x.shape[2:], mode='nearest')
                x = self.attend[level](deep, x)
            fused = x
            out.append(self.filter[level](x))
        return tuple(reversed(out))
