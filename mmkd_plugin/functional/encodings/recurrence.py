"""Recurrence plots: images of the distances between the states of a series at two times."""

from __future__ import annotations

import math
from numbers import Integral

import numpy as np
import torch
from torch import Tensor

from ..precision import in_full_precision
from .gramian import check_series
from .parts import average_matrix, check_image_size

__all__ = ['check_embedding', 'check_threshold', 'recurrence_plot']

PERCENTAGE = 10.0  # of pyts


@in_full_precision
def recurrence_plot(
    x: Tensor,
    image_size: int | None = None,
    dimension: int = 1,
    delay: int = 1,
    threshold: float | str | None = None,
    percentage: float | None = None,
) -> Tensor:
    r"""Return the recurrence plot of every series, equal to that of pyts.

    Eckmann et al., Europhysics Letters 1987. A state is m samples, τ samples apart; the image has the distance of state i from
    state j at (i, j) or, with a threshold, 1 where the distance is below, else 0. pyts has a pixel for every state. Here states
    may be averaged over S equal parts first, as samples are for a Gramian field.

    Args:
        x (Tensor): Series ``(..., T)``, real and finite; not checked, because a check would wait for the device.
        image_size (int, optional): S, from 1 to the T − (m − 1)·τ states, which is the default.
        dimension (int): m.
        delay (int): τ in samples.
        threshold (float | str, optional): In the unit of x; 'distance', a percentage of the largest distance of the image; or
            'point', the percentile of the image's distances. Without, the image is the distances.
        percentage (float, optional): From 0 to 100, of the thresholds 'distance' and 'point'; 10 by default.

    Returns:
        Tensor: ``(..., S, S)``, float32, or float64 for x of double precision.

    Raises:
        ValueError: x has no axis of time or is not of a floating-point dtype, or an argument is out of range.
    """
    check_series(x)
    check_embedding(dimension, delay, int(x.shape[-1]))
    check_threshold(threshold, percentage)
    states = int(x.shape[-1]) - (dimension - 1) * delay
    size = states if image_size is None else image_size
    check_image_size(size, states)
    series = x if threshold is None else x.double()  # what is compared with a threshold is not rounded
    if size < states:  # distances do not change, and averages of a large constant are exact
        series = series - series[..., :1]
    coordinates = [series[..., k * delay : k * delay + states] for k in range(dimension)]
    if size < states:
        average = torch.from_numpy(average_matrix(states, size)).to(series)
        coordinates = [coordinate @ average for coordinate in coordinates]  # (..., S)
    distance = coordinates[0][..., :, None] - coordinates[0][..., None, :]  # (..., S, S)
    if dimension > 1:
        distance = distance.square_()
        for coordinate in coordinates[1:]:
            difference = coordinate[..., :, None] - coordinate[..., None, :]
            distance.addcmul_(difference, difference)
    distance = distance.abs_() if dimension == 1 else distance.sqrt_()
    if threshold is None:
        return distance
    if threshold == 'distance':
        limit = (PERCENTAGE if percentage is None else percentage) / 100 * distance.amax((-2, -1), keepdim=True)
    elif threshold == 'point':
        limit = _percentile(distance, PERCENTAGE if percentage is None else percentage)
    else:
        limit = distance.new_tensor(threshold)
    return (distance < limit).to(x.dtype)


def check_embedding(dimension: int, delay: int, length: int | None = None) -> None:
    """Check the arguments that make states of samples, and that a series of this length has one.

    Raises:
        ValueError: An argument is out of range, or the series is too short.
    """
    for name, value in dict(dimension=dimension, delay=delay).items():
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f'{name} must be a whole number of at least 1, got {value}')
    span = (dimension - 1) * delay + 1
    if length is not None and span > length:
        raise ValueError(f'dimension={dimension} and delay={delay} make states that span {span} samples; a series has {length}')


def check_threshold(threshold: float | str | None, percentage: float | None) -> None:
    """Check the arguments that make an image black and white.

    Raises:
        ValueError: An argument is out of range, or two do not go together.
    """
    relative = isinstance(threshold, str) and threshold in ('point', 'distance')
    if not (threshold is None or relative or (isinstance(threshold, (int, float)) and 0 < threshold < math.inf)):
        raise ValueError(f"threshold must be above 0 and finite, 'point' or 'distance', got {threshold!r}")
    if percentage is not None and not relative:
        raise ValueError(f"percentage is of the thresholds 'point' and 'distance'; got threshold={threshold!r}")
    if percentage is not None and not 0 <= percentage <= 100:
        raise ValueError(f'percentage must be from 0 to 100, got {percentage}')


def _percentile(distance: Tensor, percentage: float) -> Tensor:
    """Return the percentile of the pixels of each image, ``(..., 1, 1)``, rounded as numpy does.

    The image is symmetric, and 0 on its diagonal: its values in order are S zeros and those above the diagonal, twice each.
    """
    size = int(distance.shape[-1])
    position = (size**2 - 1) * (percentage / 100)
    places = [math.floor(position), min(math.floor(position) + 1, size**2 - 1)]
    t = position - places[0]
    needed = max(0, (places[1] - size) // 2 + 1)
    above = torch.from_numpy(np.flatnonzero(np.triu(np.ones((size, size)), 1))).to(distance.device)
    lowest = distance.flatten(-2).index_select(-1, above).topk(needed, largest=False).values
    zero = torch.zeros_like(distance[..., 0, 0])
    a, b = (zero if place < size else lowest[..., (place - size) // 2] for place in places)
    return (a + (b - a) * t if t < 0.5 else b - (b - a) * (1 - t))[..., None, None]
