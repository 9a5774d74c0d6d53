"""Distances between the relations that two networks see among the samples of a batch; a sample has the part of its row."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .maps import energy
from .precision import in_full_precision, unit
from .sizes import interpolate

__all__ = [
    'angle_distance',
    'attention_distance',
    'pair_distance',
    'row_distance',
    'similarity_distance',
    'similarity_map',
]


@in_full_precision
def attention_distance(feature: Tensor, goal: Tensor, p: float = 2.0) -> Tensor:
    """Return the squared difference of spatial attention maps: the channels' mean of ``|F|^p``, L2-normalised over positions.

    Attention transfer: Zagoruyko & Komodakis, ICLR 2017, section 3.1; averaged over positions as in the published code, to
    which the paper's beta of 1000 belongs. Where sizes differ, the larger feature is pooled to the smaller size, as in the
    code of Tian et al., ICLR 2020.

    Args:
        feature (Tensor): ``(N, C, *S)``.
        goal (Tensor): ``(N, C', *S')``, with as many axes.
        p (float): Exponent.

    Returns:
        Tensor: ``(N, )``.
    """
    size = list(map(min, feature.shape[2:], goal.shape[2:]))
    pooled = (x if list(x.shape[2:]) == size else interpolate(x, size, 'area') for x in (feature, goal))
    a, b = (unit(energy(x, p).flatten(1), 1) for x in pooled)  # (N, positions)
    return (a - b).square().mean(1)


@in_full_precision
def similarity_distance(feature: Tensor, goal: Tensor) -> Tensor:
    """Return the squared difference of the batch's similarity matrices, row by row.

    Similarity-preserving distillation: Tung & Mori, ICCV 2019, equation 4. The mean over samples is the paper's ‖G − G'‖² / N².

    Args:
        feature (Tensor): ``(N, ...)``.
        goal (Tensor): ``(N, ...)``, of any other shape.

    Returns:
        Tensor: ``(N, )``.
    """
    return row_distance(similarity_map(feature), similarity_map(goal))


@in_full_precision
def similarity_map(feature: Tensor, normalize: bool = True) -> Tensor:
    """Return the Gram matrix of a batch's flattened features, each row L2-normalised.

    Args:
        feature (Tensor): ``(N, ...)``.
        normalize (bool): Normalise the rows.

    Returns:
        Tensor: ``(N, N)``.
    """
    x = feature.flatten(1)
    gram = x @ x.T
    return unit(gram, 1) if normalize else gram


@in_full_precision
def row_distance(a: Tensor, b: Tensor) -> Tensor:
    """Return the squared difference of the rows over their length.

    Args:
        a (Tensor): ``(N, N)``.
        b (Tensor): ``(N, N)``.

    Returns:
        Tensor: ``(N, )``; the mean is ‖a − b‖² / N².
    """
    return (a - b).square().sum(1) / len(a)


@in_full_precision
def pair_distance(feature: Tensor, goal: Tensor) -> Tensor:
    """Return the Huber loss between all pairwise distances, in units of their mean over the batch.

    Relational distillation, distance-wise: Park et al., CVPR 2019, section 3.2.1.

    Args:
        feature (Tensor): ``(N, ...)``.
        goal (Tensor): ``(N, ...)``, of any other shape.

    Returns:
        Tensor: ``(N, )``; the mean over samples is that over pairs.
    """
    a, b = (_scaled_distances(x.flatten(1)) for x in (feature, goal))  # (N, N)
    return F.smooth_l1_loss(a, b, reduction='none').mean(1)


@in_full_precision
def angle_distance(feature: Tensor, goal: Tensor) -> Tensor:
    """Return the Huber loss between the cosines of all angles that triples of samples form.

    Relational distillation, angle-wise: Park et al., CVPR 2019, section 3.2.2.

    Args:
        feature (Tensor): ``(N, ...)``.
        goal (Tensor): ``(N, ...)``, of any other shape.

    Returns:
        Tensor: ``(N, )``, by the sample at the vertex; the mean over samples is that over triples.
    """
    a, b = (_cosines(x.flatten(1)) for x in (feature, goal))  # (N, N, N)
    return F.smooth_l1_loss(a, b, reduction='none').mean((1, 2))


def _scaled_distances(x: Tensor) -> Tensor:
    """Return the distances between vectors ``(N, d)`` over their mean over pairs of two samples, ``(N, N)``."""
    square = (x[:, None] - x[None]).square().sum(2)  # (N, N)
    # The root has no gradient at 0, the distance of a sample from itself.
    apart = square > 0
    distance = torch.where(apart, square.where(apart, torch.ones_like(square)).sqrt(), 0.0)
    pairs = max(len(x) * (len(x) - 1), 1)  # with those that coincide, as in the paper and in the published code
    return distance / (distance.sum() / pairs).clamp_min(torch.finfo(x.dtype).tiny)


def _cosines(x: Tensor) -> Tensor:
    """Return the cosine at vertex i between the directions to j and to k, ``(N, d)`` to ``(N, N, N)``."""
    to = unit(x[None] - x[:, None], 2)  # (N, N, d)
    return to @ to.transpose(1, 2)
