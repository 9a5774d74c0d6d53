"""Wide residual networks over time or over images."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS

from .common import CONV, INIT, NORM, run_stages

__all__ = ['WideResNet']


class PreActivationBlock(nn.Module):
    """BN–ReLU–conv twice, and a shortcut (figure 1d where dropout is above 0).

    Args:
        dim (int): 1 or 2.
        in_channels (int): Input channels.
        channels (int): Output channels.
        stride (int): Stride of the first convolution.
        dropout (float): Probability of dropout between the convolutions.
    """

    def __init__(self, dim: int, in_channels: int, channels: int, stride: int, dropout: float) -> None:
        super().__init__()
        conv, norm = CONV[dim], NORM[dim]
        self.norm1 = norm(in_channels)
        self.conv1 = conv(in_channels, channels, 3, stride, padding=1, bias=False)
        self.norm2 = norm(channels)
        self.conv2 = conv(channels, channels, 3, padding=1, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.relu = nn.ReLU(inplace=True)
        changes = in_channels != channels or stride != 1
        self.shortcut = conv(in_channels, channels, 1, stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, *S)`` to ``(N, C', *S')``."""
        active = self.relu(self.norm1(x))
        out = self.dropout(self.relu(self.norm2(self.conv1(active))))
        return self.conv2(out) + (x if self.shortcut is None else self.shortcut(active))


@MODELS.register_module()
class WideResNet(BaseModule):
    """Wide residual network (Zagoruyko & Komodakis, BMVC 2016, https://arxiv.org/abs/1605.07146, table 1), pre-activation.

    A stem of 16 channels, then three groups of n = (depth − 4) / 6 blocks with 16k, 32k and 64k channels, the second and third
    of stride 2. The shortcut is a 1×1 convolution of the activated input where the shape changes, elsewhere the input itself.
    The final batch norm and ReLU belong to the third stage, so that pooling and one linear layer read exactly that feature; the
    first two stages are returned before any activation.

    Args:
        depth (int): 6n + 4.
        widen_factor (int): k, at least 1.
        dim (int): 1 for signals ``(N, C, L)``, 2 for images ``(N, C, H, W)``.
        in_channels (int): Channels of the input.
        dropout (float): Probability inside the blocks.
        init_cfg (dict | list[dict], optional): See mmengine's BaseModule. By default Kaiming's for convolutions.

    Raises:
        ValueError: Depth, widen factor or dim is impossible.
    """

    def __init__(
        self,
        depth: int,
        widen_factor: int = 1,
        dim: int = 1,
        in_channels: int = 3,
        dropout: float = 0.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(INIT if init_cfg is None else init_cfg)
        if dim not in CONV:
            raise ValueError(f'dim must be 1 or 2, got {dim}')
        if depth < 10 or (depth - 4) % 6:
            raise ValueError(f'depth must be 6n + 4 with n at least 1 (10, 16, 22, 28, 40, …), got {depth}')
        if not isinstance(widen_factor, int) or widen_factor < 1:
            raise ValueError(f'widen_factor must be an integer of at least 1, got {widen_factor}')
        blocks = (depth - 4) // 6
        self.out_channels = tuple(width * widen_factor for width in (16, 32, 64))
        self.out_indices = tuple(range(len(self.out_channels)))  # as the host's backbones name their stages
        self.stem = CONV[dim](in_channels, 16, 3, padding=1, bias=False)
        self.stages = nn.ModuleList()
        channels = 16
        for width, stride in zip(self.out_channels, (1, 2, 2)):
            stage = []
            for index in range(blocks):
                stage.append(PreActivationBlock(dim, channels, width, stride if index == 0 else 1, dropout))
                channels = width
            self.stages.append(nn.Sequential(*stage))
        self.norm = NORM[dim](channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map ``(N, C, *S)`` to three stages ``(N, 16k, *S)``, ``(N, 32k, *S/2)``, ``(N, 64k, *S/4)``, sizes rounded up."""
        *shallow, deep = run_stages(self.stages, self.stem(x))
        return (*shallow, self.relu(self.norm(deep)))
