"""Persistence and persistence images of tensors on their device, where pairing one sample after another would be slow."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .gramian import check_series
from .persistence_image import check_image

__all__ = ['close_essential_persistence', 'signal_to_persistence_image_on_device', 'sublevel_persistence_on_device']

LARGEST = 2**24  # elements of the largest array that is allocated


def sublevel_persistence_on_device(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return birth and death of the component that every sample would begin.

    A component that is born at a sample dies where it meets an older one: at the lower of the two highest values on the way to
    the nearest lower sample, on the left and on the right (of equal samples the left one is older). All samples are
    compared at once, T² comparisons for a series. A sample that is not a minimum dies at its birth.

    Args:
        x (Tensor): Series ``(N, T)``, real, without NaN; not checked, because a check would wait for the device.

    Returns:
        tuple[Tensor, Tensor]: Births and deaths, each ``(N, T)``. Those with birth < death and both finite are the pairs of
        :func:`~mmkd_plugin.functional.sublevel_persistence`.

    Raises:
        ValueError: x is not ``(N, T)`` or not of a floating-point dtype.
    """
    check_series(x, dimensions=2)
    length = x.shape[-1]
    index = torch.arange(length, device=x.device)
    deaths = [_deaths(part, index) for part in x.split(max(1, LARGEST // length**2))]
    return x, torch.cat(deaths)


def _deaths(x: Tensor, index: Tensor) -> Tensor:
    """Return the deaths ``(n, T)`` of series ``(n, T)``."""
    after = index > index[:, None]  # (T, T): j comes after t
    own, other = x[:, :, None], x[:, None, :]  # (n, T, 1), (n, 1, T)
    nothing = x.new_tensor(-math.inf)
    right = torch.where(after, other, nothing).cummax(2).values  # highest from t + 1 to j
    left = torch.where(after.T, other, nothing).flip(2).cummax(2).values.flip(2)  # highest from j to t − 1
    right = torch.where(after & (other < own), right, math.inf).amin(2)
    left = torch.where(after.T & (other <= own), left, math.inf).amin(2)
    return torch.maximum(torch.minimum(left, right), x)


def close_essential_persistence(x: Tensor) -> Tensor:
    """Prepend two samples, so that the component of the global minimum dies at the global maximum.

    The pairs of the longer series are those of x and (minimum, maximum), which is the pair of the essential class in extended
    persistence: its component meets an older one, of the first sample, where the second sample is. A constant series has none.

    Args:
        x (Tensor): Series ``(..., T)``, finite.

    Returns:
        Tensor: Series ``(..., T + 2)``.
    """
    low, high = x.aminmax(dim=-1, keepdim=True)
    return torch.cat([low - 1, high, x], dim=-1)


def signal_to_persistence_image_on_device(
    x: Tensor,
    image_size: int,
    birth_range: tuple[float, float],
    persistence_range: tuple[float, float],
    sigma: float,
    weight: str = 'persistence',
    convention: str = 'integral',
    min_persistence: float = 0.0,
    normalize: bool = False,
) -> Tensor:
    """Return the persistence image of every series, see :func:`~mmkd_plugin.functional.signal_to_persistence_image`.

    Args:
        x (Tensor): Series ``(..., T)``, float32 or float64, without NaN; not checked.
        image_size (int): S in pixels.
        birth_range (tuple[float, float]): As for arrays, like the following arguments.
        persistence_range (tuple[float, float]): Lifetimes likewise.
        sigma (float): Standard deviation of the Gaussian.
        weight (str): 'persistence' or 'uniform'.
        convention (str): 'integral', 'sampled' or 'persimage'.
        min_persistence (float): Pairs that live no longer than this are left out.
        normalize (bool): Divide every image by its maximum.

    Returns:
        Tensor: Images ``(..., S, S)``, of the dtype of x; to about 1e-6 of the largest pixel for float32.

    Raises:
        ValueError: x has no axis of time or is not of a floating-point dtype, or an argument is out of range.
    """
    check_series(x)
    check_image(image_size, birth_range, persistence_range, sigma, weight, convention, min_persistence)
    births, deaths = sublevel_persistence_on_device(x.reshape(-1, x.shape[-1]))  # (N, T) each
    integral = convention == 'integral'
    lifetimes = deaths - births
    counts = (lifetimes > min_persistence) & births.isfinite() & deaths.isfinite()
    lifetimes = torch.where(counts, lifetimes, 0.0)
    births = torch.where(counts, births, 0.0)
    weights = lifetimes if weight == 'persistence' else counts.to(x.dtype)
    width = persistence_range[1] / image_size if convention == 'persimage' else None
    if width is not None and weight == 'persistence':
        longest = lifetimes.amax(1, keepdim=True)
        weights = lifetimes / torch.where(longest > 0, longest, 1.0)
    axes = [(births, birth_range), (lifetimes, persistence_range)]
    rows, columns = axes if integral else reversed(axes)
    images = []
    for part in torch.arange(len(births), device=x.device).split(max(1, LARGEST // (x.shape[-1] * image_size))):
        row, column = (_profiles(c[part], limits, image_size, sigma, integral, width) for c, limits in (rows, columns))
        images.append((weights[part, :, None] * row).transpose(1, 2) @ column)  # (n, S, S)
    image = torch.cat(images).unflatten(0, x.shape[:-1])
    if width is not None:
        image = image.flip(-2)
    if normalize:
        highest = image.amax((-2, -1), keepdim=True)
        image = torch.where(highest > 0, image / highest, image)
    return image


def _profiles(
    centres: Tensor, limits: tuple[float, float], size: int, sigma: float, integral: bool, width: float | None
) -> Tensor:
    """Return the Gaussian about each centre ``(n, T)``, its mass in every pixel or its density at every node, ``(n, T, S)``.

    With a width, its mass in the pixels of this width that begin at the nodes.
    """
    nodes = torch.linspace(*limits, size + integral, dtype=torch.float64, device=centres.device).to(centres.dtype)
    z = (nodes - centres[..., None]) / sigma
    if width is not None:
        return (torch.erf((z + width / sigma) / math.sqrt(2)) - torch.erf(z / math.sqrt(2))) / 2
    if integral:
        return torch.erf(z / math.sqrt(2)).diff(dim=-1) / 2
    return torch.exp(-z.square() / 2) / (sigma * math.sqrt(2 * math.pi))
