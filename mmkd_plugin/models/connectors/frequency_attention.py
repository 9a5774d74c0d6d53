"""FAM: a learnable filter over the student's whole spectrum, beside a 1×1 convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmkd_plugin.functional import frequency_attention
from mmkd_plugin.registry import MODELS

from .base import Connector, Shape
from .plain import CONV, _space

__all__ = ['FrequencyAttention']


@MODELS.register_module()
class FrequencyAttention(Connector):
    """Frequency attention module: γ1 · IFFT(highpass(G · FFT(x))) + γ2 · conv1×1(x).

    Pham et al., WACV 2024, "Frequency Attention for Knowledge Distillation", section 3.1; in 1D the same along time. The output
    has the teacher's number of channels and the student's size, so a :class:`Resize` or :class:`Lift` comes before it. Layer to
    layer, :class:`NormReLU` comes after it.

    The learnable filter G is complex and kept as two real parameters, which optimisers, weight decay and DDP know how to treat.

    Args:
        in_shape (tuple): ``(C, L)`` or ``(C, H, W)``.
        goal (tuple): Its number of channels C' is read.
        cutoff (float): Half-width of the block of low frequencies that is removed, as a share of half the map.
        variant (str): 'reference' removes int(cutoff · (n // 2)) bins, which is none on maps below 20 pixels at the published
            cutoff of 0.1; 'strict' removes at least the mean.
    """

    def __init__(self, in_shape: Shape, goal: Shape, cutoff: float = 0.1, variant: str = 'reference') -> None:
        super().__init__(in_shape, goal)
        dim = _space(in_shape, 'FrequencyAttention', (1, 2))
        channels, out_channels = in_shape[0], goal[0]
        self.cutoff, self.variant = cutoff, variant
        # Uniform in [0, 1) over the number of channel pairs, real and imaginary part alike.
        scale = 1 / (channels * out_channels)
        self.filter_real = nn.Parameter(scale * torch.rand(channels, out_channels, *in_shape[1:]))
        self.filter_imag = nn.Parameter(scale * torch.rand(channels, out_channels, *in_shape[1:]))
        self.conv = CONV[dim](channels, out_channels, 1)
        self.gamma1 = nn.Parameter(torch.tensor(0.5))
        self.gamma2 = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, *S)`` to ``(N, C', *S)``."""
        spectral = frequency_attention(x, torch.complex(self.filter_real, self.filter_imag), self.cutoff, self.variant)
        return self.gamma1 * spectral + self.gamma2 * self.conv(x)  # (N, C', *S)
