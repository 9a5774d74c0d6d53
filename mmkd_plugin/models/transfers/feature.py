"""Knowledge in features: the student's connected feature approaches the teacher's."""

from __future__ import annotations

from torch import Tensor

from mmkd_plugin.functional import absolute_error, cosine_distance, pyramid_error, squared_error
from mmkd_plugin.registry import MODELS

from .base import Transfer, stage_sum

__all__ = ['FeatureTransfer']

DISTANCES = {'mse': squared_error, 'l1': absolute_error, 'cosine': cosine_distance, 'pyramid': pyramid_error}


@MODELS.register_module()
class FeatureTransfer(Transfer):
    """Distance between feature maps, embeddings or class activation maps; over several stages, the sum of theirs.

    With a convolution as the connector this is FitNet (Romero et al., ICLR 2015); with frequency attention, FAM (Pham et al.,
    WACV 2024).

    Args:
        distance (str): 'mse', 'l1', 'cosine' or, for maps, 'pyramid', from :mod:`mmkd_plugin.functional`.
        **transfer: See :class:`Transfer`.

    Raises:
        ValueError: The distance is unknown.
    """

    def __init__(self, distance: str = 'mse', **transfer) -> None:
        super().__init__(**transfer)
        if distance not in DISTANCES:
            raise ValueError(f'distance must be one of {", ".join(DISTANCES)}, got {distance!r}')
        self.metric = DISTANCES[distance]

    def distance(self, target: Tensor | tuple[Tensor, ...], source: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """Return the distance of features ``(N, C, *S)`` and ``(N, C, *S)``, or of one per stage, ``(N, )``."""
        return stage_sum(self.metric, target, source)
