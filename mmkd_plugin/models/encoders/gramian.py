"""The view of Gramian angular fields."""

from __future__ import annotations

import torch
from torch import Tensor

from mmkd_plugin.functional import gramian_angular_field, gramian_angular_field_on_device
from mmkd_plugin.registry import MODELS

from .base import Encoder, usual_size

__all__ = ['GramianAngularField']


@MODELS.register_module()
class GramianAngularField(Encoder):
    """Gramian angular field of every channel: ``(N, C, T)`` to ``(N, C, S, S)``, from −1 to 1.

    Wang & Oates, AAAI workshop 2015. Min–max scaling per window erases the amplitude; ``scale`` keeps it.

    Args:
        image_size (int, optional): S in pixels, at most T; 32 by default, or T in windows that are shorter.
        method (str): 'summation' or 'difference'.
        scale (tuple[float, float], optional): Range of the signal, in its units after normalisation, that becomes [−1, 1];
            values beyond are clipped. By default every window is scaled by its own minimum and maximum.
    """

    title = 'Gramian angular field'
    limits = (-1.0, 1.0)

    def __init__(
        self, image_size: int | None = None, method: str = 'summation', scale: tuple[float, float] | None = None
    ) -> None:
        super().__init__()
        self.image_size, self.method, self.scale = image_size, method, scale

    def forward(self, signal: Tensor) -> Tensor:
        """Map ``(N, C, T)`` to ``(N, C, S, S)``."""
        x = signal.detach()
        size = usual_size(x, self.image_size)
        limits: tuple[float, float] | None = (-1, 1)
        if self.scale is not None:
            low, high = self.scale
            x, limits = (2 * (x - low) / (high - low) - 1).clamp(-1, 1), None
        if x.device.type != 'cpu' or torch.jit.is_tracing():  # arrays leave no trace in an exported graph
            return gramian_angular_field_on_device(x, size, self.method, limits)
        return torch.from_numpy(gramian_angular_field(x.numpy(), size, self.method, limits)).to(signal)
