"""Activation maps, attention over time, and the joint evidence of two networks."""

from __future__ import annotations

import torch
from torch import Tensor

from .precision import in_full_precision, unit
from .sizes import interpolate

__all__ = ['activation_map_distance', 'joint_evidence', 'temporal_attention', 'temporal_evidence', 'time_marginal']


@in_full_precision
def activation_map_distance(
    maps: Tensor, goal: Tensor, labels: Tensor | None = None, size: int | None = None, normalize: bool = False
) -> Tensor:
    """Return the squared difference of class activation maps, averaged over classes and positions.

    Maps are compared at the smaller of the two sizes. With all classes, ``size=2`` and ``normalize`` this is CAT-KD (Guo et
    al., CVPR 2023, section 3.3).

    Args:
        maps (Tensor): ``(N, K, *S)``.
        goal (Tensor): ``(N, K, *S')``, with as many axes.
        labels (Tensor, optional): ``(N, )``; where given, only the map of the sample's own class is compared.
        size (int, optional): Pool every axis to this many cells at most.
        normalize (bool): L2-normalise every map over its positions.

    Returns:
        Tensor: ``(N, )``.
    """
    smaller = [min(*pair, size or max(pair)) for pair in zip(maps.shape[2:], goal.shape[2:])]
    pair = []
    for x in (maps, goal):
        if labels is not None:
            x = x[torch.arange(len(x), device=x.device), labels][:, None]  # (N, 1, *S)
        x = interpolate(x, smaller, 'area').flatten(2)  # (N, K or 1, positions)
        pair.append(unit(x, 2) if normalize else x)
    return (pair[0] - pair[1]).square().mean((1, 2))


@in_full_precision
def temporal_attention(feature: Tensor, p: float = 2.0, normalize: str = 'l1') -> Tensor:
    """Return the attention of a network to each time: the channels' mean of ``|F|^p`` as a distribution.

    Args:
        feature (Tensor): ``(N, C, T)``.
        p (float): Exponent.
        normalize (str): 'l1' divides by the sum, 'softmax' takes the softmax.

    Returns:
        Tensor: ``(N, T)``, summing to 1.

    Raises:
        ValueError: The normalisation is unknown.
    """
    if normalize not in ('l1', 'softmax'):
        raise ValueError(f"normalize must be 'l1' or 'softmax', got {normalize!r}")
    attention = energy(feature, p)  # (N, T)
    return attention.softmax(1) if normalize == 'softmax' else _distribution(attention)


@in_full_precision
def time_marginal(image: Tensor, length: int) -> Tensor:
    """Return the share of each time in a map over a Gramian angular field, as a distribution.

    Pixel (i, j) of the field belongs to the times i and j, so time t gets half of row t and half of column t.

    Args:
        image (Tensor): ``(N, H, W)``, not negative.
        length (int): Number of times T of the result.

    Returns:
        Tensor: ``(N, T)``, summing to 1.
    """
    sides = [interpolate(_distribution(image.sum(axis))[:, None], [length], 'linear') for axis in (2, 1)]
    return _distribution((sides[0] + sides[1])[:, 0])


@in_full_precision
def joint_evidence(attention: Tensor, cam: Tensor) -> Tensor:
    """Return the joint evidence of two teachers: attention over time ⊗ class activation, scaled as a cross-attention map.

    Args:
        attention (Tensor): ``(N, T)``, each summing to 1.
        cam (Tensor): ``(N, H, W)``; negative values are set to zero, and the rest is divided by its sum.

    Returns:
        Tensor: ``(N, T, H, W)``, summing to T, as the T rows of a cross-attention map do.
    """
    flat = _distribution(cam.relu().flatten(1)).view_as(cam)
    return attention.shape[1] * attention[:, :, None, None] * flat[:, None]


@in_full_precision
def temporal_evidence(attention: Tensor, cam: Tensor) -> Tensor:
    """Return the evidence of two teachers on the time axis: the mean of attention over time and the map's marginal.

    Args:
        attention (Tensor): ``(N, T)``, each summing to 1.
        cam (Tensor): ``(N, H, W)`` over a Gramian angular field; negative values are set to zero.

    Returns:
        Tensor: ``(N, T)``, summing to 1.
    """
    return (attention + time_marginal(cam.relu(), attention.shape[1])) / 2


def energy(x: Tensor, p: float) -> Tensor:
    """Return the channels' mean of ``|F|^p``, ``(N, C, *S)`` to ``(N, *S)``; a 0 has no gradient, also where p is below 1."""
    size = x.abs()
    return (size if p >= 1 else size.clamp_min(torch.finfo(x.dtype).tiny)).pow(p).mean(1)


def _distribution(x: Tensor) -> Tensor:
    """Divide ``(N, M)`` by the sum of each row; a row of zeros becomes uniform."""
    total = x.sum(1, keepdim=True)
    return torch.where(total > 0, x / total.clamp_min(torch.finfo(x.dtype).tiny), 1 / x.shape[1])
