"""The view of Markov transition fields."""

from __future__ import annotations

from torch import Tensor

from mmkd_plugin.functional import markov_transition_field
from mmkd_plugin.functional.encodings.transition import check_bins
from mmkd_plugin.registry import MODELS

from .base import Encoder, usual_size

__all__ = ['MarkovTransitionField']


@MODELS.register_module()
class MarkovTransitionField(Encoder):
    """Markov transition field of every channel: ``(N, C, T)`` to ``(N, C, S, S)``, from 0 to 1.

    Wang & Oates, AAAI workshop 2015, section 2.2, https://arxiv.org/abs/1506.00327. Bins by the quantiles of each window erase
    the amplitude; 'normal' and ``scale`` have the same bins for every window.

    Args:
        image_size (int, optional): S in pixels, at most T; 32 by default, or T in windows that are shorter.
        bins (int): Q, at least 2.
        strategy (str): 'quantile', 'uniform' or 'normal', see :func:`mmkd_plugin.functional.markov_transition_field`.
        scale (tuple[float, float], optional): Range of the signal, in its units after normalisation, that 'uniform' bins
            divide; values beyond fall into the first and the last. By default every window has its own range.

    Raises:
        ValueError: An argument is out of range.
    """

    title = 'Markov transition field'
    limits = (0.0, 1.0)

    def __init__(
        self,
        image_size: int | None = None,
        bins: int = 8,
        strategy: str = 'quantile',
        scale: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        check_bins(bins, strategy, scale)
        self.image_size, self.bins, self.strategy, self.scale = image_size, bins, strategy, scale

    def forward(self, signal: Tensor) -> Tensor:
        """Map ``(N, C, T)`` to ``(N, C, S, S)``."""
        size = usual_size(signal, self.image_size)
        return markov_transition_field(signal.detach(), size, self.bins, self.strategy, self.scale).to(signal)
