"""Markov transition fields: images of how often a series goes from the value at one time to the value at another."""

from __future__ import annotations

from numbers import Integral
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from ..precision import in_full_precision
from .gramian import check_series
from .parts import average_matrix, check_image_size

__all__ = ['check_bins', 'markov_transition_field']

STRATEGIES = ('quantile', 'uniform', 'normal')
SAME = 1e-8  # quantiles that are no farther apart are one in pyts, in the unit of x


@in_full_precision
def markov_transition_field(
    x: Tensor,
    image_size: int,
    bins: int = 8,
    strategy: str = 'quantile',
    scale: tuple[float, float] | None = None,
) -> Tensor:
    r"""Return the Markov transition field of every series, equal to that of pyts.

    Wang & Oates, AAAI workshop 2015, section 2.2. Samples fall into Q bins; W[q, r] is the share of the transitions out of bin
    q, from one sample to the next, that go to bin r, and 0 for a bin that is never left. The full image has W[q_i, q_j] at
    (i, j), and its pixels are averaged over S × S equal parts. It is never made: with H the share of every part's samples in
    every bin, the average is H W Hᵀ. A constant series falls into one bin, and its field is 1.

    Args:
        x (Tensor): Series ``(..., T)``, real and finite; not checked, because a check would wait for the device.
        image_size (int): S, from 1 to T pixels.
        bins (int): Q, at least 2.
        strategy (str): 'quantile', bins of as many samples of the series; 'uniform', bins of equal width; 'normal', the
            quantiles of the standard normal distribution for every series. A sample on an edge belongs to the bin below.
        scale (tuple[float, float], optional): Lowest and highest value of 'uniform' bins, those of every series by default;
            values beyond fall into the first and the last bin.

    Returns:
        Tensor: ``(..., S, S)`` from 0 to 1, float32, or float64 for x of double precision.

    Raises:
        ValueError: x has no axis of time or is not of a floating-point dtype, or an argument is out of range.
    """
    check_series(x)
    length = int(x.shape[-1])  # a tensor where the function is traced
    check_image_size(image_size, length)
    check_bins(bins, strategy, scale)
    values = x.reshape(-1, 1, length).double()  # edges between samples are not rounded
    above = values > _edges(values[:, 0], bins, strategy, scale)[:, :, None]  # (n, Q − 1, T)
    # Every value is above the first bin's lower end, and none above the last bin's upper end.
    every = torch.ones_like(values, dtype=torch.bool)
    member = torch.logical_xor(torch.cat([every, above], 1), torch.cat([above, ~every], 1)).to(x.dtype)  # (n, Q, T)
    counts = member[..., :-1] @ member[..., 1:].transpose(1, 2)  # (n, Q, Q)
    transition = counts / counts.sum(-1, keepdim=True).clamp_min(1)
    if image_size < length:
        member = member @ torch.from_numpy(average_matrix(length, image_size)).to(member)  # (n, Q, S)
    return (member.transpose(1, 2) @ (transition @ member)).reshape(*x.shape[:-1], image_size, image_size)


def check_bins(bins: int, strategy: str, scale: tuple[float, float] | None) -> None:
    """Check the arguments that say how values fall into bins.

    Raises:
        ValueError: An argument is out of range, or two do not go together.
    """
    if not isinstance(bins, Integral) or bins < 2:
        raise ValueError(f'bins must be a whole number of at least 2, got {bins}')
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy must be 'quantile', 'uniform' or 'normal', got {strategy!r}")
    if scale is None:
        return
    if strategy != 'uniform':
        raise ValueError(f"scale is of bins of equal width, strategy='uniform'; got strategy={strategy!r}")
    if not -np.inf < scale[0] < scale[1] < np.inf:
        raise ValueError(f'scale must go from low to high and be finite, got {scale}')


def _edges(x: Tensor, bins: int, strategy: str, scale: tuple[float, float] | None) -> Tensor:
    """Return the edges between the bins of series ``(n, T)``, one less than there are bins."""
    inner = np.arange(1, bins)
    if strategy == 'normal':
        return x.new_tensor([[NormalDist().inv_cdf(k / bins) for k in inner]])
    if strategy == 'uniform':
        low, high = (x.new_tensor([[value]]) for value in scale) if scale else (x.amin(1, True), x.amax(1, True))
        return low + torch.from_numpy(inner).to(x) * ((high - low) / bins)
    length = int(x.shape[1])
    position = (length - 1) * (np.linspace(0, 100, bins + 1)[1:-1] / 100)
    before = np.floor(position).astype(np.int64)
    t = torch.from_numpy(position - before).to(x)
    ordered = x.sort(1).values
    after = np.minimum(before + 1, length - 1)
    a, b = (ordered.index_select(1, torch.from_numpy(places).to(x.device)) for places in (before, after))
    edges = torch.where(t < 0.5, a + (b - a) * t, b - (b - a) * (1 - t)).unbind(1)  # rounds as numpy does
    kept = list(edges)
    for k in reversed(range(bins - 2)):  # of edges that are the same the last one counts
        kept[k] = torch.where(edges[k + 1] - edges[k] > SAME, kept[k], kept[k + 1])
    return torch.stack(kept, 1)
