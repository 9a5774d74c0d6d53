"""Persistence images of diagrams, by the conventions of three implementations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from ..parallel import compiled
from .gramian import LARGEST

__all__ = ['check_image', 'persistence_image']


def persistence_image(
    diagrams: Sequence[NDArray],
    image_size: int,
    birth_range: tuple[float, float],
    persistence_range: tuple[float, float],
    sigma: float,
    weight: str = 'persistence',
    convention: str = 'integral',
) -> NDArray:
    """Return the persistence image of each diagram: a weighted Gaussian for every pair in the birth–persistence plane.

    Adams et al., JMLR 2017, section 4. A convention includes the library's kernel, grid and order of axes:

    - 'integral': persim's PersistenceImager with covariance sigma². The Gaussian is integrated over every pixel, pixels divide
      the ranges evenly, and the axes of an image are (birth, persistence).
    - 'sampled': GUDHI's PersistenceImage with bandwidth sigma. The density is read at nodes that include both ends of the
      ranges, and the axes of an image are (persistence, birth).
    - 'persimage': persim's old PersImage with spread sigma, which the code of TDA_KD calls. Pixels begin at nodes that include
      both ends of the ranges and are as wide as the highest lifetime of the range over S, so that they overlap or leave
      gaps; the weight 'persistence' is the lifetime over the longest of the diagram; the axes of an image are (persistence,
      birth), the longest lifetimes in the first row. The ranges are those of its ``specs``: births from ``minBD``, which is
      at most 0, to ``maxBD``, lifetimes from 0 to ``maxBD``.

    Args:
        diagrams (Sequence[ndarray]): N arrays ``(k, 2)`` of (birth, death).
        image_size (int): S in pixels.
        birth_range (tuple[float, float]): Births from the first to the last pixel, in the diagrams' unit.
        persistence_range (tuple[float, float]): Lifetimes (death − birth) likewise.
        sigma (float): Standard deviation of the Gaussian, same unit.
        weight (str): 'persistence', the lifetime, or 'uniform', 1.
        convention (str): 'integral', 'sampled' or 'persimage'.

    Returns:
        ndarray: Images ``(N, S, S)``, float64; zeros for an empty diagram.

    Raises:
        ValueError: A diagram is not ``(k, 2)``, a pair is not finite, is beyond ±1e300 or dies before its birth, or an
            argument is out of range.
    """
    check_image(image_size, birth_range, persistence_range, sigma, weight, convention)
    pairs, first = _flatten(diagrams)
    lifetime = pairs[:, 1] - pairs[:, 0]
    weights = lifetime if weight == 'persistence' else np.ones_like(lifetime)
    if convention == 'persimage' and weight == 'persistence':
        weights = weights / _longest(lifetime, first)
    width = persistence_range[1] / image_size if convention == 'persimage' else None
    integral = convention == 'integral'
    births = _profiles(pairs[:, 0], birth_range, image_size, sigma, integral, width)  # (points, S)
    lifetimes = _profiles(lifetime, persistence_range, image_size, sigma, integral, width)
    rows, columns = (births, lifetimes) if integral else (lifetimes, births)
    image = np.zeros((len(diagrams), image_size, image_size))
    _add(rows, columns, weights, first, image)
    return image[:, ::-1].copy() if convention == 'persimage' else image


def check_image(
    image_size: int,
    birth_range: tuple[float, float],
    persistence_range: tuple[float, float],
    sigma: float,
    weight: str,
    convention: str,
    min_persistence: float = 0.0,
) -> None:
    """Check the arguments of a persistence image.

    Raises:
        ValueError: An argument is out of range.
    """
    if weight not in ('persistence', 'uniform'):
        raise ValueError(f"weight must be 'persistence' or 'uniform', got {weight!r}")
    if convention not in ('integral', 'sampled', 'persimage'):
        raise ValueError(f"convention must be 'integral', 'sampled' or 'persimage', got {convention!r}")
    if not 0 < sigma < np.inf:
        raise ValueError(f'sigma must be above 0 and finite, got {sigma}')
    if not isinstance(image_size, Integral) or image_size < 1:
        raise ValueError(f'image_size must be a whole number of at least 1, got {image_size}')
    if not min_persistence >= 0:
        raise ValueError(f'min_persistence must be at least 0, got {min_persistence}')
    for name, (low, high) in dict(birth_range=birth_range, persistence_range=persistence_range).items():
        if not -np.inf < low < high < np.inf:
            raise ValueError(f'{name} must go from low to high and be finite, got ({low}, {high})')
    if convention == 'persimage' and (tuple(persistence_range) != (0, birth_range[1]) or birth_range[0] > 0):
        raise ValueError(
            "convention 'persimage' has births from at most 0 to a maximum and lifetimes from 0 to the same maximum, got "
            f'birth_range {tuple(birth_range)} and persistence_range {tuple(persistence_range)}'
        )


def _flatten(diagrams: Sequence[NDArray]) -> tuple[NDArray, NDArray]:
    """Return all pairs in one array, and the index of each diagram's first pair."""
    arrays = [np.asarray(d) for d in diagrams]
    for index, array in enumerate(arrays):
        if array.size == 0:  # an empty list has no second axis
            arrays[index] = array = np.empty((0, 2))
        if array.dtype.kind not in 'biuf':
            raise ValueError(f'diagram {index} must hold real numbers, got an array of {array.dtype}')
        arrays[index] = array = array.astype(np.float64, copy=False)
        if array.ndim != 2 or array.shape[1] != 2:
            raise ValueError(f'diagram {index} must have shape (k, 2), got {array.shape}')
        if not (np.abs(array) <= LARGEST).all():  # NaN compares as false
            raise ValueError(
                f'diagram {index} has a pair that is not finite and within ±{LARGEST:g}; drop the component that never dies'
            )
        if (array[:, 1] < array[:, 0]).any():
            raise ValueError(f'diagram {index} has a pair that dies before its birth; expected columns (birth, death)')
    first = np.concatenate([[0], np.cumsum([len(a) for a in arrays])]).astype(np.int64)
    return (np.concatenate(arrays) if arrays else np.empty((0, 2))), first


def _longest(lifetime: NDArray, first: NDArray) -> NDArray:
    """Return for each pair the longest lifetime of its diagram, 1 where all are 0."""
    counts = np.diff(first)
    longest = np.array([lifetime[a:b].max(initial=0) for a, b in pairwise(first)])
    return np.repeat(np.where(longest > 0, longest, 1.0), counts)


def _profiles(
    centres: NDArray, limits: tuple[float, float], size: int, sigma: float, integral: bool, width: float | None
) -> NDArray:
    """Return the Gaussian about each centre along one axis: its mass in every pixel, or its density at every node.

    With a width, its mass in the pixels of this width that begin at the nodes.
    """
    profiles = np.empty((len(centres), size))
    if width is not None:
        _mass_from(centres, np.linspace(*limits, size), width, sigma, profiles)
    elif integral:
        _mass(centres, np.linspace(*limits, size + 1), sigma, profiles)
    else:
        _density(centres, np.linspace(*limits, size), sigma, profiles)
    return profiles


@compiled
def _mass(centres, edges, sigma, profiles):
    scale = 1 / (sigma * math.sqrt(2.0))
    for p in range(len(centres)):
        before = math.erf((edges[0] - centres[p]) * scale)
        for i in range(profiles.shape[1]):
            after = math.erf((edges[i + 1] - centres[p]) * scale)
            profiles[p, i] = (after - before) / 2
            before = after


@compiled
def _mass_from(centres, nodes, width, sigma, profiles):
    scale = 1 / (sigma * math.sqrt(2.0))
    for p in range(len(centres)):
        for i in range(profiles.shape[1]):
            away = nodes[i] - centres[p]
            profiles[p, i] = (math.erf((away + width) * scale) - math.erf(away * scale)) / 2


@compiled
def _density(centres, nodes, sigma, profiles):
    top = 1 / (sigma * math.sqrt(2 * math.pi))
    for p in range(len(centres)):
        for i in range(profiles.shape[1]):
            profiles[p, i] = top * math.exp(-(((nodes[i] - centres[p]) / sigma) ** 2) / 2)


@compiled
def _add(rows, columns, weights, first, image):
    """Add the outer product of the two profiles of every pair: the kernel is separable."""
    size = image.shape[1]
    for k in range(len(image)):
        for p in range(first[k], first[k + 1]):
            for i in range(size):
                row = weights[p] * rows[p, i]
                for j in range(size):
                    image[k, i, j] += row * columns[p, j]
