"""The view of recurrence plots."""

from __future__ import annotations

from torch import Tensor

from mmkd_plugin.functional import recurrence_plot
from mmkd_plugin.functional.encodings.recurrence import check_embedding, check_threshold
from mmkd_plugin.registry import MODELS

from .base import Encoder, usual_size

__all__ = ['RecurrencePlot']


@MODELS.register_module()
class RecurrencePlot(Encoder):
    """Recurrence plot of every channel: ``(N, C, T)`` to ``(N, C, S, S)``, distances between the states at two times.

    Eckmann et al., Europhysics Letters 4 (1987), 973, https://doi.org/10.1209/0295-5075/4/9/004. The paper's plots are black
    and white; without a threshold the image is the distances, in the unit of the normalised signal, which keep the amplitude.

    Args:
        image_size (int, optional): S in pixels, at most the number of states; 32 by default, or all states of windows that have
            fewer.
        dimension (int): Samples of a state.
        delay (int): From one sample of a state to the next, in samples.
        threshold (float | str, optional): Distance, in the unit of the normalised signal, below which a pixel is 1 and not 0;
            or 'point' or 'distance', see :func:`mmkd_plugin.functional.recurrence_plot`.
        percentage (float, optional): From 0 to 100, of 'point' and 'distance'; 10 by default.

    Raises:
        ValueError: An argument is out of range.
    """

    title = 'Recurrence plot'

    def __init__(
        self,
        image_size: int | None = None,
        dimension: int = 1,
        delay: int = 1,
        threshold: float | str | None = None,
        percentage: float | None = None,
    ) -> None:
        super().__init__()
        check_embedding(dimension, delay)
        check_threshold(threshold, percentage)
        self.image_size, self.dimension, self.delay = image_size, dimension, delay
        self.threshold, self.percentage = threshold, percentage

    def forward(self, signal: Tensor) -> Tensor:
        """Map ``(N, C, T)`` to ``(N, C, S, S)``."""
        x = signal.detach()
        size = usual_size(x[..., (self.dimension - 1) * self.delay :], self.image_size)
        image = recurrence_plot(x, size, self.dimension, self.delay, self.threshold, self.percentage)
        return image.to(signal)
