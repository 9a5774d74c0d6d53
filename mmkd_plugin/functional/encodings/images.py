"""Memory for the images of an encoding."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ['image_array']

HUGE_PAGE = 2**21  # bytes, on Linux for x86 and most of Arm


def image_array(shape: tuple[int, ...], dtype: DTypeLike, out: NDArray | None, x: NDArray) -> NDArray:
    """Return the array that the caller gives, checked, or a new one.

    The first access to new memory costs more than all the arithmetic of an image, a fault for every page. numpy asks the system
    for huge pages where an array is large, and gets them for the whole array only if the array begins at the border of one.

    Args:
        shape (tuple[int, ...]): Shape of all images.
        dtype (dtype): Dtype of a pixel.
        out (ndarray, optional): Array of the caller.
        x (ndarray): Series that are read while images are written.

    Returns:
        ndarray: Contiguous, of this shape and dtype; its values are undefined.

    Raises:
        ValueError: ``out`` is of another shape or dtype, not contiguous, read-only, or shares memory with x.
    """
    dtype = np.dtype(dtype)
    if out is not None:
        if not isinstance(out, np.ndarray):
            raise ValueError(f'out must be a numpy array, got {type(out).__name__}')
        if out.shape != shape or out.dtype != dtype or not out.flags.c_contiguous:
            raise ValueError(f'out must be contiguous, {dtype} and {shape}, got {out.dtype} and {out.shape}')
        if not out.flags.writeable or np.may_share_memory(out, x):
            raise ValueError('out must be writeable and share no memory with x')
        return out
    size = math.prod(shape) * dtype.itemsize
    if size < 2 * HUGE_PAGE:  # below that numpy does not ask
        return np.empty(shape, dtype)
    whole = np.empty(size + HUGE_PAGE, np.uint8)
    start = -whole.ctypes.data % HUGE_PAGE
    return whole[start : start + size].view(dtype).reshape(shape)
