"""Review connectors: deep features are passed up to shallow stages, fused there, and mapped to the teacher's shape."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmkd_plugin.functional import interpolate, neighbour_scores, neighbour_sum
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import check_variant

from .base import Connector, Shape
from .frequency_attention import FrequencyAttention
from .plain import CONV, NORM, NormReLU, Resize

__all__ = ['GatedReviewConnector', 'LocalCrossAttention', 'ReviewConnector']


class LocalCrossAttention(nn.Module):
    """Attention of every position of one map to the 3×3 positions around it in another.

    Queries come from ``deep``, keys and values from ``shallow``; the softmax is over the neighbours, separately for each group
    of channels, and a learnable term for each relative position is added to the keys, half of the channels for rows and half
    for columns: Ramachandran et al., NeurIPS 2019, section 3. Neighbours beyond the border are zeros, as in a padded
    convolution.

    Args:
        channels (int): A multiple of twice the number of groups.
        groups (int): Groups of channels, each with its own attention.
        kernel_size (int): Width of the neighbourhood in pixels, odd.
        variant (str): 'paper' takes the inner product of query and key over the channels of a group; 'reference' takes the
            softmax over the neighbours for every channel on its own, whatever the groups, and starts the three convolutions
            with He's normal distribution, as the published code of FAM does.
    """

    def __init__(self, channels: int, groups: int = 4, kernel_size: int = 3, variant: str = 'paper') -> None:
        super().__init__()
        if channels % (2 * groups):
            raise ValueError(f'channels must be a multiple of twice the {groups} groups, got {channels}')
        reference = check_variant(variant) == 'reference'
        self.groups, self.kernel_size = channels if reference else groups, kernel_size
        self.query = nn.Conv2d(channels, channels, 1, bias=False)
        self.key = nn.Conv2d(channels, channels, 1, bias=False)
        self.value = nn.Conv2d(channels, channels, 1, bias=False)
        self.row_position = nn.Parameter(torch.randn(channels // 2, kernel_size, 1))
        self.column_position = nn.Parameter(torch.randn(channels // 2, 1, kernel_size))
        for convolution in (self.query, self.key, self.value) if reference else ():
            nn.init.kaiming_normal_(convolution.weight, mode='fan_out', nonlinearity='relu')

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` and ``(N, C, H, W)`` to ``(N, C, H, W)``."""
        k, groups = self.kernel_size, self.groups
        query = self.query(deep)  # (N, C, H, W)
        position = torch.cat([self.row_position.expand(-1, k, k), self.column_position.expand(-1, k, k)])  # (C, k, k)
        position = position.reshape(groups, -1, k * k).transpose(1, 2)  # (G, k², C / G)
        by_position = (position @ query.reshape(len(query), groups, -1, query[0, 0].numel())).unflatten(3, query.shape[2:])
        attention = (by_position + neighbour_scores(query, self.key(shallow), groups, k)).softmax(2)  # (N, G, k², H, W)
        return neighbour_sum(attention, self.value(shallow), k)  # (N, C, H, W)


class StageReview(Connector):
    """Fusion from the deepest stage to the shallowest, each fused feature mapped to the teacher's shape.

    Every stage is mapped to ``mid`` channels by a 1×1 convolution with batch norm, and resized to its teacher's before that, or
    after its fusion. A subclass sets ``attend``, a module ``(deep, shallow) -> fused`` for each stage but the deepest, and
    ``filter``, a module to the teacher's shape for each stage.

    Args:
        in_shape (tuple): Shape of every stage of the student, each ``(C, *S)``, shallow to deep.
        goal (tuple): Shape of every stage of the teacher.
        mid (int): Channels of the fused feature.
        resize_first (bool): Fuse at the teacher's sizes, to which :class:`Resize` brings the stages; else at the student's,
            with the nearest value for each position of the teacher's size after it.
        relu (bool): Whether a ReLU ends the map to ``mid`` channels.
    """

    takes_stages = True
    attend: nn.ModuleList
    filter: nn.ModuleList

    def __init__(self, in_shape: Shape, goal: Shape, mid: int, resize_first: bool = True, relu: bool = False) -> None:
        super().__init__(in_shape, goal)
        self.reduce = nn.ModuleList()
        for i, g in zip(in_shape, goal):
            links = [CONV[len(i) - 1](i[0], mid, 1, bias=False), NORM[len(i) - 1](mid), *[nn.ReLU()] * relu]
            self.reduce.append(nn.Sequential(*[Resize(i, g)] * resize_first, *links))

    def forward(self, stages: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Map one ``(N, C, *S)`` per stage to one ``(N, C', *S')`` per stage."""
        out: list[Tensor] = []
        fused = None
        for level in reversed(range(len(stages))):
            x = self.reduce[level](stages[level])  # (N, M, *S') or (N, M, *S)
            if fused is not None:
                deep = interpolate(fused, x.shape[2:], 'nearest')
                x = self.attend[level](deep, x)
            if x.shape[2:] != self.goal[level][1:]:
                x = interpolate(x, self.goal[level][1:], 'nearest')
            fused = x
            out.append(self.filter[level](x))
        return tuple(reversed(out))


@MODELS.register_module()
class ReviewConnector(StageReview):
    """The review form of FAM: Pham et al., WACV 2024, section 3.3, after Chen et al., CVPR 2021.

    The deeper stage's fused feature queries this stage's (:class:`LocalCrossAttention`); :class:`FrequencyAttention`, batch
    norm and ReLU map to the teacher's shape. The pooled vector of the paper's loss is a transfer of its own, between
    embeddings.

    Args:
        in_shape (tuple): Shape of every stage of the student, each ``(C, H, W)``, shallow to deep.
        goal (tuple): Shape of every stage of the teacher.
        mid_channels (int, optional): Channels of the fused feature; the student's deepest stage's by default.
        groups (int): Groups of the attention.
        cutoff (float): See :class:`FrequencyAttention`.
        variant (str): See :class:`FrequencyAttention`.
        relu (bool): See :class:`NormReLU`.
        attention (str): 'paper', or 'reference' for the attention of the published code, see :class:`LocalCrossAttention`, and
            its ReLU after the batch norm of the fused features.
    """

    def __init__(
        self,
        in_shape: Shape,
        goal: Shape,
        mid_channels: int | None = None,
        groups: int = 4,
        cutoff: float = 0.1,
        variant: str = 'reference',
        relu: bool = True,
        attention: str = 'paper',
    ) -> None:
        if any(len(shape) != 3 for shape in in_shape):
            raise ValueError(f'ReviewConnector reads stages of shape (C, H, W), got {list(in_shape)}; put a Lift before it')
        mid = mid_channels or in_shape[-1][0]
        super().__init__(in_shape, goal, mid, relu=check_variant(attention, 'attention') == 'reference')
        inner = [(mid, *shape[1:]) for shape in goal]
        self.attend = nn.ModuleList(LocalCrossAttention(mid, groups, variant=attention) for _ in in_shape[1:])
        self.filter = nn.ModuleList(
            nn.Sequential(FrequencyAttention(i, g, cutoff, variant), NormReLU(g, g, relu)) for i, g in zip(inner, goal)
        )


class Gate(nn.Module):
    """Sum of two maps weighted by attention maps of both: the fusion of review distillation, Chen et al., CVPR 2021.

    Args:
        channels (int): Channels of either map.
        dim (int): Number of space axes, 1 or 2.
    """

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        self.gates = CONV[dim](2 * channels, 2, 1)

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """Map ``(N, C, *S)`` and ``(N, C, *S)`` to ``(N, C, *S)``."""
        gates = self.gates(torch.cat([shallow, deep], 1)).sigmoid()  # (N, 2, *S)
        return shallow * gates[:, :1] + deep * gates[:, 1:]


@MODELS.register_module()
class GatedReviewConnector(StageReview):
    """Review distillation: Chen et al., CVPR 2021, section 3.3, over time as well as over images.

    The deeper stage's fused feature and this stage's are weighted by :class:`Gate`, and a 3×3 convolution with batch norm maps
    to the teacher's shape.

    Args:
        in_shape (tuple): Shape of every stage of the student, each ``(C, *S)``, shallow to deep.
        goal (tuple): Shape of every stage of the teacher.
        mid_channels (int, optional): Channels of the fused feature; those of the teacher's deepest stage by default, of the
            student's in the reference, 512 at most.
        variant (str): 'paper' resizes the stages to the teacher's sizes before the 1×1 convolution; 'reference' fuses at the
            student's sizes, resizes after that, and starts convolutions by He's uniform distribution, as published code does.
    """

    def __init__(self, in_shape: Shape, goal: Shape, mid_channels: int | None = None, variant: str = 'paper') -> None:
        reference = check_variant(variant) == 'reference'
        mid, dim = mid_channels or min(512, (in_shape if reference else goal)[-1][0]), len(goal[-1]) - 1
        super().__init__(in_shape, goal, mid, resize_first=not reference)
        self.attend = nn.ModuleList(Gate(mid, dim) for _ in in_shape[1:])
        self.filter = nn.ModuleList(
            nn.Sequential(CONV[dim](mid, shape[0], 3, padding=1, bias=False), NORM[dim](shape[0])) for shape in goal
        )
        for stage in [*self.reduce, *self.filter] if reference else ():
            nn.init.kaiming_uniform_(stage[0].weight, a=1)
