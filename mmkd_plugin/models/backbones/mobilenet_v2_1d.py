"""MobileNetV2 over time."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS

from .common import INIT, run_stages

__all__ = ['MobileNetV2For1d']

# Expansion, channels, blocks, stride: table 2 of the paper, but for the strides of the stem and of the row of 24 channels. They
# are 2 there; five halvings would leave 4 positions of a window of 100 samples.
ROWS = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
LAST_CHANNELS = 1280


def conv_norm(
    in_channels: int, channels: int, kernel_size: int, stride: int = 1, groups: int = 1, relu: bool = True
) -> nn.Sequential:
    """Build a convolution with batch norm and, with ``relu``, ReLU6; lengths are divided by the stride, rounding up."""
    conv = nn.Conv1d(in_channels, channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm1d(channels), *([nn.ReLU6(inplace=True)] if relu else []))


class InvertedResidual(nn.Module):
    """Expand, filter each channel over time, project; with a shortcut where the shape stays (section 3.3).

    Args:
        in_channels (int): Input channels.
        channels (int): Output channels.
        stride (int): Stride of the filter over time.
        expansion (int): Channels of the filter per input channel.
    """

    def __init__(self, in_channels: int, channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        layers = [conv_norm(in_channels, hidden, 1)] if expansion > 1 else []
        layers += [conv_norm(hidden, hidden, 3, stride, groups=hidden), conv_norm(hidden, channels, 1, relu=False)]
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and in_channels == channels

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, L)`` to ``(N, C', L')``."""
        return x + self.layers(x) if self.shortcut else self.layers(x)


@MODELS.register_module(name='MobileNetV2_1d')
class MobileNetV2For1d(BaseModule):
    """MobileNetV2 (Sandler et al., CVPR 2018, https://arxiv.org/abs/1801.04381, table 2), over time.

    Three halvings instead of the image network's five, for windows of about a hundred to five hundred samples: at the rows of
    32, 64 and 160 channels. There is one stage per length, returned before the next halving; the last one ends in the final
    1×1 convolution with its ReLU6, the others in a linear bottleneck, without activation.

    Args:
        in_channels (int): Channels of the input.
        widen_factor (float): Above 0; multiplies the numbers of channels, each rounded to a multiple of 8. Below 1 the last
            convolution keeps its 1280, as in the paper.
        init_cfg (dict | list[dict], optional): See mmengine's BaseModule. By default Kaiming's for convolutions.

    Raises:
        ValueError: The widen factor is not above 0.
    """

    def __init__(self, in_channels: int = 3, widen_factor: float = 1.0, init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(INIT if init_cfg is None else init_cfg)
        if not widen_factor > 0:
            raise ValueError(f'widen_factor must be above 0, got {widen_factor}')
        channels = _multiple_of_8(32 * widen_factor)
        self.stem = conv_norm(in_channels, channels, 3)
        stages: list[list[nn.Module]] = [[]]
        widths = []
        for expansion, width, blocks, stride in ROWS:
            width = _multiple_of_8(width * widen_factor)
            if stride > 1:
                stages.append([])
                widths.append(channels)
            for index in range(blocks):
                stages[-1].append(InvertedResidual(channels, width, stride if index == 0 else 1, expansion))
                channels = width
        last = max(LAST_CHANNELS, _multiple_of_8(LAST_CHANNELS * widen_factor))
        stages[-1].append(conv_norm(channels, last, 1))
        self.stages = nn.ModuleList(nn.Sequential(*stage) for stage in stages)
        self.out_channels = (*widths, last)
        self.out_indices = tuple(range(len(self.out_channels)))  # as the host's backbones name their stages

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map ``(N, C, L)`` to four stages of lengths L, L/2, L/4, L/8, rounded up."""
        return run_stages(self.stages, self.stem(x))


def _multiple_of_8(channels: float) -> int:
    """Return the nearest multiple of 8, at least 8 and never more than a tenth below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
