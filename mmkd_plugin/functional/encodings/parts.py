"""Equal parts of a series, over which encodings average."""

from __future__ import annotations

import itertools
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

__all__ = ['average_matrix', 'check_image_size', 'part_bounds']


def check_image_size(image_size: int, length: int) -> None:
    """Check that an image has no more pixels a side than the series has samples.

    Raises:
        ValueError: The size is out of range.
    """
    if not isinstance(image_size, Integral) or not 1 <= image_size <= length:
        raise ValueError(f'image_size must be a whole number from 1 to the {length} samples of a series, got {image_size}')


def part_bounds(length: int, parts: int) -> NDArray:
    """Return where the parts begin, and the end: part i covers the samples from ``int(i·T/S)`` to ``int((i+1)·T/S)``."""
    return np.linspace(0, length, parts + 1).astype(np.int64)


def average_matrix(length: int, parts: int) -> NDArray:
    """Return the matrix ``(T, S)`` by which series become the averages of their parts, a constant of a traced graph."""
    average = np.zeros((length, parts))
    for part, (start, stop) in enumerate(itertools.pairwise(part_bounds(length, parts))):
        average[start:stop, part] = 1 / (stop - start)
    return average
