"""Networks over time as networks over images of one row, for runtimes that know convolutions over images alone."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from ..student import Student

__all__ = ['as_planar']

CLOSE = 1e-5  # of logits, as a share of the largest: the same sums in another order


class _Planar(nn.Module):
    """Normaliser and network of a student that reads the signal, which becomes an image ``(N, C, 1, T)``."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = copy.deepcopy(student)
        network = self.student.network
        for name, module in list(network.named_modules()):
            image = _over_images(module)
            if image is not None:
                parent, _, attribute = name.rpartition('.')
                setattr(network.get_submodule(parent), attribute, image)
        self.eval()

    def forward(self, signal: Tensor) -> Tensor:
        """Map windows as recorded ``(N, C, T)`` to logits ``(N, K)``."""
        return self.student.network(self.student.encode(signal).unsqueeze(2)).logits


def as_planar(student: Student) -> nn.Module:
    """Return a module from windows as recorded to logits, whose convolutions are over images of one row.

    Without that, such a runtime turns every activation around before and after each convolution. A student that reads images,
    and one whose code says itself that it is over time, stays as it is.

    Args:
        student (Student): With golden windows.
    """
    if student.encoder is not None:
        return student
    signal = student.golden['signal']
    with torch.no_grad():
        expected = student(signal)
        try:
            planar = _Planar(student)
            apart = (planar(signal) - expected).abs().max() / expected.abs().max().clamp_min(1)
        except (IndexError, RuntimeError, ValueError):  # a function of torch for one dimension, a check of the shape
            return student
    return planar if apart <= CLOSE else student


def _over_images(module: nn.Module) -> nn.Module | None:
    """Return the layer over images of one row that does what a layer over time does; None for all others."""
    if type(module) is nn.Conv1d and module.padding_mode == 'zeros':
        padding = module.padding if isinstance(module.padding, str) else (0, module.padding[0])
        image = nn.Conv2d(
            module.in_channels,
            module.out_channels,
            (1, module.kernel_size[0]),
            (1, module.stride[0]),
            padding,
            (1, module.dilation[0]),
            module.groups,
            module.bias is not None,
        )
        weights = module.state_dict()
        image.load_state_dict({**weights, 'weight': weights['weight'].unsqueeze(2)})  # (O, C, 1, k)
        return image
    if type(module) is nn.BatchNorm1d:
        norm = nn.BatchNorm2d(module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats)
        norm.load_state_dict(module.state_dict())
        return norm
    if type(module) is nn.AdaptiveAvgPool1d:
        return nn.AdaptiveAvgPool2d((1, module.output_size))  # type: ignore[arg-type]  # the annotation also allows a tuple
    return None
