"""Distances between a student's answer or feature and a teacher's: one number per sample, no batch mean."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

__all__ = ['absolute_error', 'cosine_distance', 'pyramid_error', 'softened_kl', 'squared_error']


def softened_kl(logits: Tensor, teacher_logits: Tensor, tau: float) -> Tensor:
    r"""Divergence of the student's softened answer from the teacher's, times tau squared.

    :math:`\tau^2 \sum_k p_k \log (p_k / s_k)` with :math:`p, s` the softmax of logits over tau. Hinton et al. 2015, section 2:
    the factor keeps the gradient's size as tau changes.

    Args:
        logits (Tensor): Student logits, ``(N, K)``.
        teacher_logits (Tensor): Teacher logits, ``(N, K)``.
        tau (float): Temperature, above 0. At 1 the unit is nats.

    Returns:
        Tensor: ``(N, )``.

    Raises:
        ValueError: tau is not above 0.
    """
    if not tau > 0:
        raise ValueError(f'tau must be above 0, got {tau}')
    log_s = F.log_softmax(logits / tau, dim=1)
    log_t = F.log_softmax(teacher_logits / tau, dim=1)
    kl = F.kl_div(log_s, log_t, reduction='none', log_target=True)  # (N, K)
    return tau**2 * kl.sum(1)


def squared_error(feature: Tensor, goal: Tensor) -> Tensor:
    """Squared difference, averaged over all but the first axis.

    Args:
        feature (Tensor): ``(N, ...)``.
        goal (Tensor): ``(N, ...)``.

    Returns:
        Tensor: ``(N, )``; its mean is ``torch.nn.functional.mse_loss``.
    """
    return (feature - goal).square().flatten(1).mean(1)


def absolute_error(feature: Tensor, goal: Tensor) -> Tensor:
    """Absolute difference, averaged over all but the first axis: ``(N, ...)``, ``(N, ...)`` -> ``(N, )``."""
    return (feature - goal).abs().flatten(1).mean(1)


def pyramid_error(feature: Tensor, goal: Tensor) -> Tensor:
    """Squared error of two maps at their own size and pooled to 4, 2 and 1 cells along each axis, each counting half the last.

    The hierarchical context loss of review distillation: Chen et al., CVPR 2021, section 3.4. Sizes that are not below the
    map's are left out; the weights are divided by their sum.

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
            pooled = [F.interpolate(x, size, mode='area') for x in (feature, goal)]
            loss, total = loss + weight * squared_error(*pooled), total + weight
    return loss / total


def cosine_distance(feature: Tensor, goal: Tensor) -> Tensor:
    """One minus the cosine between the flattened features: ``(N, ...)``, ``(N, ...)`` -> ``(N, )``, from 0 to 2."""
    return 1 - F.cosine_similarity(feature.flatten(1), goal.flatten(1), dim=1)
