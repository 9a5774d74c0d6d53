"""The view of persistence images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmkd_plugin.functional import (
    close_essential_persistence,
    signal_to_persistence_image,
    signal_to_persistence_image_on_device,
)
from mmkd_plugin.registry import MODELS

from .base import Encoder, Range

__all__ = ['PersistenceImage']


@MODELS.register_module()
class PersistenceImage(Encoder):
    """Persistence image of every channel's sublevel-set H0 diagram: ``(N, C, T)`` to ``(N, C, S, S)``.

    Adams et al., JMLR 2017. Ranges and sigma are in units of the normalised signal.

    Args:
        image_size (int): S in pixels.
        birth_range (tuple[float, float]): Births that the image covers.
        persistence_range (tuple[float, float]): Lifetimes that the image covers.
        sigma (float): Standard deviation of the Gaussian.
        convention (str): 'integral', 'sampled' or 'persimage', see
            :func:`mmkd_plugin.functional.encodings.persistence_image`.
        min_persistence (float): Pairs that live no longer than this are dropped.
        normalize (bool): Divide every channel's image by its maximum.
        essential (bool): Draw the component of the global minimum, too, which never dies: until the global maximum, its partner
            in extended persistence (Cohen-Steiner et al., Foundations of Computational Mathematics 2009). Without that pair an
            image does not tell the level and the range of a window.
    """

    title = 'Persistence image'

    def __init__(
        self,
        image_size: int,
        birth_range: tuple[float, float],
        persistence_range: tuple[float, float],
        sigma: float,
        convention: str = 'integral',
        min_persistence: float = 0.0,
        normalize: bool = True,
        essential: bool = False,
    ) -> None:
        super().__init__()
        self.options: dict[str, Any] = dict(
            image_size=image_size,
            birth_range=tuple(birth_range),
            persistence_range=tuple(persistence_range),
            sigma=sigma,
            convention=convention,
            min_persistence=min_persistence,
            normalize=normalize,
        )
        self.essential = essential
        self.axes = ('persistence', 'birth') if convention == 'integral' else ('birth', 'persistence')
        self.lowest_first = convention != 'persimage'

    def ranges(self, seconds: float, rate: float) -> tuple[Range, Range]:
        """Return births and lifetimes at the ends of the axes, in the unit of the normalised signal."""
        columns, rows = (self.options[f'{axis}_range'] for axis in self.axes)
        return columns, rows

    def forward(self, signal: Tensor) -> Tensor:
        """Map ``(N, C, T)`` to ``(N, C, S, S)``."""
        x = close_essential_persistence(signal.detach()) if self.essential else signal.detach()
        if x.device.type != 'cpu':
            return signal_to_persistence_image_on_device(x, **self.options)
        return torch.from_numpy(signal_to_persistence_image(x.numpy(), **self.options)).to(signal)
