"""VGG networks over time."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS

from .common import INIT

__all__ = ['VGG1d']

# Convolutions of each stage; a network of depth d has d − 3 of them, the head of the original counting for the rest.
STAGES = {
    8: ((64,), (128,), (256,), (512,), (512,)),
    11: ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    13: ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
}
POOLED = 3  # stages that end in a max-pool, as in the distillation literature's version for small inputs


@MODELS.register_module()
class VGG1d(BaseModule):
    """VGG with batch norm (Simonyan & Zisserman, ICLR 2015), over time, as in the distillation literature.

    Five stages of conv–BN–ReLU; before each of the second to fourth a max-pool halves the length, rounding down.

    Args:
        depth (int): 8, 11 or 13.
        in_channels (int): Channels of the input.
        init_cfg (dict | list[dict], optional): See mmengine's BaseModule.

    Raises:
        ValueError: The depth is unknown; at the first call, the input is shorter than 8 samples.
    """

    def __init__(self, depth: int = 8, in_channels: int = 3, init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(init_cfg or INIT)
        if depth not in STAGES:
            raise ValueError(f'depth must be one of {", ".join(map(str, STAGES))}, got {depth}')
        self.out_channels = tuple(widths[-1] for widths in STAGES[depth])
        self.stages = nn.ModuleList()
        channels = in_channels
        for widths in STAGES[depth]:
            layers = []
            for width in widths:
                layers += [nn.Conv1d(channels, width, 3, padding=1, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
                channels = width
            self.stages.append(nn.Sequential(*layers))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """``(N, C, L)`` to five stages of 64 to 512 channels and lengths L, L/2, L/4, L/8, L/8."""
        if x.shape[2] < 2**POOLED:
            raise ValueError(f'VGG1d halves the length {POOLED} times and needs at least {2**POOLED} samples, got {x.shape[2]}')
        out = []
        for index, stage in enumerate(self.stages):
            x = stage(F.max_pool1d(x, 2) if 1 <= index <= POOLED else x)
            out.append(x)
        return tuple(out)
