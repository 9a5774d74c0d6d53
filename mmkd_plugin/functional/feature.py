"""Distances between a student's feature and a teacher's, one number per sample."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .precision import in_full_precision
from .sizes import interpolate

__all__ = ['absolute_error', 'cosine_distance', 'pyramid_error', 'squared_error']

TINY = 1e-8  # norm up to which a feature has no direction


@in_full_precision
def squared_error(feature: Tensor, goal: Tensor) -> Tensor:
    """Return the squared difference, averaged over all but the first axis.

    Args:
        feature (Tensor): ``(N, ...)``.
        goal (Tensor): ``(N, ...)``.

    Returns:
        Tensor: ``(N, )``; its mean is ``torch.nn.functional.mse_loss``.
    """
    return (feature - goal).square().flatten(1).mean(1)


@in_full_precision
def absolute_error(feature: Tensor, goal: Tensor) -> Tensor:
    """Return the absolute difference, averaged over all but the first axis.

    Args:
        feature (Tensor): ``(N, ...)``.
        goal (Tensor): ``(N, ...)``.

    Returns:
        Tensor: ``(N, )``.
    """
    return (feature - goal).abs().flatten(1).mean(1)


@in_full_precision
def pyramid_error(feature: Tensor, goal: Tensor) -> Tensor:
    """Return the squared error of two maps at their own size and pooled to 4, 2 and 1 cells along each axis.

    The hierarchical context loss of review distillation: Chen et al., CVPR 2021, section 3.4. Each size has half the
    weight of the one before; sizes that are not below the map's are left out, and the weights are divided by their sum.

    Args:
        feature (Tensor): ``(N, C, *S)``.
        goal (Tensor): ``(N, C, *S)``.

    Returns:
        Tensor: ``(N, )``.
    """
    loss, weight, total = squared_error(feature, goal), 1.0, 1.0
    for cells in (4, 2, 1):
        if cells < feature.shape[2]:
            weight /= 2
            size = [min(cells, length) for length in feature.shape[2:]]
            pooled = [interpolate(x, size, 'area') for x in (feature, goal)]
            loss, total = loss + weight * squared_error(*pooled), total + weight
    return loss / total


@in_full_precision
def cosine_distance(feature: Tensor, goal: Tensor) -> Tensor:
    """Return one minus the cosine between the flattened features.

    Args:
        feature (Tensor): ``(N, ...)``.
        goal (Tensor): ``(N, ...)``.

    Returns:
        Tensor: ``(N, )``, from 0 to 2; 1, without gradient, where a feature is zero.
    """
    a, b = feature.flatten(1), goal.flatten(1)
    long = (a.norm(dim=1) > TINY) & (b.norm(dim=1) > TINY)
    return 1 - torch.where(long, F.cosine_similarity(a, b, dim=1, eps=TINY), 0.0)
