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
MIN_LENGTH = 2 ** (len(STAGES[8]) - 1)  # samples; four pools leave one of them


@MODELS.register_module()
class VGG1d(BaseModule):
    """VGG with batch norm (Simonyan & Zisserman, ICLR 2015, https://arxiv.org/abs/1409.1556, table 1), over time.

    Depth 8 is the network of the distillation literature (Tian et al., ICLR 2020, https://arxiv.org/abs/1910.10699). Five
    stages of conv–BN–ReLU, each returned after its last ReLU; a max-pool of 2 before each of the second to fifth halves the
    length, rounding up. The network of the literature has the fourth pool for images of 64 pixels and not for 32; windows are
    longer. Convolutions have no bias, since the norm after them has one, and one linear layer takes the place of the paper's
    three.

    Args:
        depth (int): 8, 11 or 13.
        in_channels (int): Channels of the input.
        init_cfg (dict | list[dict], optional): See mmengine's BaseModule. By default Kaiming's for convolutions.

    Raises:
        ValueError: The depth is unknown; or, in forward, the input is shorter than 16 samples.
    """

    def __init__(self, depth: int = 8, in_channels: int = 3, init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(INIT if init_cfg is None else init_cfg)
        if depth not in STAGES:
            raise ValueError(f'depth must be one of {", ".join(map(str, STAGES))}, got {depth}')
        self.out_channels = tuple(widths[-1] for widths in STAGES[depth])
        self.out_indices = tuple(range(len(self.out_channels)))  # as the host's backbones name their stages
        self.stages = nn.ModuleList()
        channels = in_channels
        for widths in STAGES[depth]:
            layers = []
            for width in widths:
                layers += [nn.Conv1d(channels, width, 3, padding=1, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
                channels = width
            self.stages.append(nn.Sequential(*layers))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map ``(N, C, L)`` to five stages of 64 to 512 channels and lengths L, L/2, L/4, L/8, L/16, rounded up."""
        if x.shape[2] < MIN_LENGTH:
            raise ValueError(f'VGG1d halves the length four times and needs at least {MIN_LENGTH} samples, got {x.shape[2]}')
        out = []
        for index, stage in enumerate(self.stages):
            # Rounding up keeps the last sample of an odd length, and the lengths those of strided networks.
            x = stage(F.max_pool1d(x, 2, ceil_mode=True) if index else x)
            out.append(x)
        return tuple(out)
