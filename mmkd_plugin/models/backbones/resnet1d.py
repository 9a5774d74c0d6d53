"""Residual networks over time."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS

from .common import INIT, run_stages

__all__ = ['ResNet1d']


class BasicBlock(nn.Module):
    """Conv–BN–ReLU–conv–BN with a shortcut, then ReLU.

    Args:
        in_channels (int): Input channels.
        channels (int): Output channels.
        stride (int): Stride of the first convolution.
    """

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm1d(channels)
        self.conv2 = nn.Conv1d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm1d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != channels or stride != 1:
            self.shortcut = nn.Sequential(nn.Conv1d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm1d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, L)`` to ``(N, C', L')``."""
        out = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(x))


@MODELS.register_module()
class ResNet1d(BaseModule):
    """Residual network for small inputs (He et al., CVPR 2016, https://arxiv.org/abs/1512.03385, section 4.2), over time.

    ResNet8, 20, 44, 56, 110: a stem of 16 channels, then three groups of n = (depth − 2) / 6 blocks with 16, 32 and 64
    channels, the second and third of stride 2. Where the shape changes the shortcut is a 1×1 convolution with batch norm (the
    paper's option B), as in the code of the distillation literature; the paper's section 4.2 pads with zeros there (option A).

    Args:
        depth (int): 6n + 2, at least 8; the paper's smallest by default.
        in_channels (int): Channels of the input.
        init_cfg (dict | list[dict], optional): See mmengine's BaseModule. By default Kaiming's for convolutions.

    Raises:
        ValueError: The depth is impossible.
    """

    def __init__(self, depth: int = 20, in_channels: int = 3, init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(INIT if init_cfg is None else init_cfg)
        if depth < 8 or (depth - 2) % 6:
            raise ValueError(f'depth must be 6n + 2 with n at least 1 (8, 14, 20, 44, 56, …), got {depth}')
        self.out_channels = (16, 32, 64)
        self.out_indices = tuple(range(len(self.out_channels)))  # as the host's backbones name their stages
        self.stem = nn.Sequential(
            nn.Conv1d(in_channels, 16, 3, padding=1, bias=False), nn.BatchNorm1d(16), nn.ReLU(inplace=True)
        )
        self.stages = nn.ModuleList()
        channels = 16
        for width, stride in zip(self.out_channels, (1, 2, 2)):
            blocks = [BasicBlock(channels, width, stride)]
            blocks += [BasicBlock(width, width, 1) for _ in range((depth - 2) // 6 - 1)]
            self.stages.append(nn.Sequential(*blocks))
            channels = width

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map ``(N, C, L)`` to three stages ``(N, 16, L)``, ``(N, 32, L/2)``, ``(N, 64, L/4)``, lengths rounded up."""
        return run_stages(self.stages, self.stem(x))
