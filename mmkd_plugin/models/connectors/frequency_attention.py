"""FAM: a learnable filter over the student's whole spectrum, beside a 1×1 convolution."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from mmkd_plugin.functional import half_spectrum, high_pass_mask, spectral_mix
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

    x is real and the real part is kept, so that only the Hermitian half of the published filter over the whole plane matters
    (:func:`~mmkd_plugin.functional.half_spectrum`). The parameter is that half, as (real, imaginary) pairs, which optimisers,
    weight decay and DDP support; :meth:`load_published` converts, and docs/methods/fam_kd.md gives the factor for a published
    learning rate. A 1×1 convolution is a filter that is the same at every frequency, so both branches and both γ go into one
    product.

    Args:
        in_shape (tuple): ``(C, L)`` or ``(C, H, W)``.
        goal (tuple): Its number of channels C' is read.
        cutoff (float): Half-width of the block of low frequencies that is removed, as a share of half the map.
        variant (str): 'reference' removes int(cutoff · (n // 2)) bins, which is none on maps below 20 pixels at the published
            cutoff of 0.1; 'strict' removes at least the mean.
    """

    removed: Tensor

    def __init__(self, in_shape: Shape, goal: Shape, cutoff: float = 0.1, variant: str = 'reference') -> None:
        super().__init__(in_shape, goal)
        dim = _space(in_shape, 'FrequencyAttention', (1, 2))
        channels, out_channels = in_shape[0], goal[0]
        self.cutoff, self.variant = cutoff, variant
        mask = high_pass_mask(in_shape[1:], cutoff, variant)
        # A bin of the half is kept unless it and its mirror image are both removed; where one is, half of the other is left.
        kept = half_spectrum(mask.to(torch.complex64)[None, None])[:, 0, 0].real > 0  # (F, )
        self.register_buffer('removed', (~kept).nonzero()[:, 0], persistent=False)
        # Uniform in [0, 1) over the number of channel pairs, real and imaginary part alike, over the whole plane as published.
        whole = torch.rand(2, channels, out_channels, *in_shape[1:]) / (channels * out_channels)
        self.filter = nn.Parameter(torch.view_as_real(half_spectrum(torch.complex(*whole) * mask)))  # (F, C, C', 2)
        self.conv = CONV[dim](channels, out_channels, 1)
        self.gamma1 = nn.Parameter(torch.tensor(0.5))
        self.gamma2 = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, *S)`` to ``(N, C', *S)``, float32 or better."""
        with torch.autocast(x.device.type, enabled=False):
            filter = self.gamma1 * self.filter
            if len(self.removed):
                filter = filter.index_fill(0, self.removed, 0.0)
            pointwise = self.gamma2 * self.conv.weight.flatten(1).T  # (C, C')
            filter = filter + torch.stack([pointwise, torch.zeros_like(pointwise)], 2)
            x = x.to(self.filter.dtype)
            return spectral_mix(x, torch.view_as_complex(filter), self.gamma2 * cast(Tensor, self.conv.bias))  # (N, C', *S)

    @torch.no_grad()
    def load_published(self, filter: Tensor) -> None:
        """Load a filter over the whole plane, as the published module stores it.

        Args:
            filter (Tensor): Complex, ``(C, C', *S)``, mean first, not masked.

        Raises:
            ValueError: The filter has another shape.
        """
        expected = (self.in_shape[0], self.goal[0], *self.in_shape[1:])
        if tuple(filter.shape) != expected:
            raise ValueError(f'the filter has shape {tuple(filter.shape)}, expected {expected}')
        mask = high_pass_mask(self.in_shape[1:], self.cutoff, self.variant, filter.device)
        self.filter.copy_(torch.view_as_real(half_spectrum(filter * mask)))
