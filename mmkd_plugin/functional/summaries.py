"""What a window looks like in a few numbers of each channel."""

from __future__ import annotations

import torch
from torch import Tensor

from .precision import in_full_precision

__all__ = ['channel_summary']


@in_full_precision
def channel_summary(windows: Tensor) -> Tensor:
    """Return mean, standard deviation, lowest and highest value of each channel, and the mean absolute step between samples.

    Args:
        windows (Tensor): ``(N, C, L)``, at least two samples long.

    Returns:
        Tensor: ``(N, 5C)``, the five one after another.
    """
    steps = windows.diff(dim=2).abs().mean(2)
    parts = windows.mean(2), windows.std(2, correction=0), windows.amin(2), windows.amax(2), steps
    return torch.cat(parts, 1)
