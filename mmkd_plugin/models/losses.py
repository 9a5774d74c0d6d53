"""Distances as losses, for frameworks such as MMRazor that pair a loss with recorded features."""

from __future__ import annotations

from torch import Tensor, nn

from mmkd_plugin import functional
from mmkd_plugin.registry import MODELS

__all__ = ['DistanceLoss']

DISTANCES = (
    'absolute_error',
    'angle_distance',
    'attention_distance',
    'correlation_distance',
    'cosine_distance',
    'pair_distance',
    'pyramid_error',
    'similarity_distance',
    'softened_kl',
    'squared_error',
)


@MODELS.register_module()
class DistanceLoss(nn.Module):
    """Batch mean of a distance of :mod:`mmkd_plugin.functional`, times a weight.

    Args:
        distance (str): Name of the function.
        loss_weight (float): Factor.
        **options: Further arguments of the function, as ``tau`` of ``softened_kl``.

    Raises:
        ValueError: There is no such distance.
    """

    def __init__(self, distance: str, loss_weight: float = 1.0, **options) -> None:
        super().__init__()
        if distance not in DISTANCES:
            raise ValueError(f'distance must be one of {", ".join(DISTANCES)}, got {distance!r}')
        self.distance, self.loss_weight, self.options = getattr(functional, distance), loss_weight, options

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the loss of features ``(N, ...)`` and ``(N, ...)``, a scalar without gradient for the teacher's."""
        return self.loss_weight * self.distance(student, teacher.detach(), **self.options).mean()
