"""Maps of another size, with a gradient that is the same in every run wherever it is computed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ['interpolate', 'interpolate_by_axes']

MODES = ('area', 'linear', 'nearest')


def interpolate(x: Tensor, size: Sequence[int], mode: str) -> Tensor:
    """Change the size of a map as :func:`torch.nn.functional.interpolate` does.

    Torch's own gradient of averages and of linear interpolation adds up in any order on a GPU, and is refused there by
    ``torch.use_deterministic_algorithms``; away from the CPU each axis is therefore multiplied by its matrix.

    Args:
        x (Tensor): ``(N, C, *S)``.
        size (Sequence[int]): The new S.
        mode (str): 'area' (averages over equal parts), 'linear' (along every axis) or 'nearest'.

    Returns:
        Tensor: ``(N, C, *size)``.

    Raises:
        ValueError: The mode is unknown, or the number of axes differs.
    """
    size = tuple(size)
    if mode not in MODES or len(size) != x.ndim - 2:
        raise ValueError(f'expected a mode of {MODES} and a size for every axis, got {mode!r} and {size} for {tuple(x.shape)}')
    if x.device.type != 'cpu':
        return interpolate_by_axes(x, size, mode)
    return F.interpolate(x, size, mode='bilinear' if mode == 'linear' and len(size) == 2 else mode)


def interpolate_by_axes(x: Tensor, size: Sequence[int], mode: str) -> Tensor:
    """Change the size of a map by a product for every axis; see :func:`interpolate`."""
    with torch.autocast(x.device.type, enabled=False):  # products would be of half precision, averages are not
        for axis, new in enumerate(size, 2):
            if new != x.shape[axis]:
                x = (x.movedim(axis, -1) @ _matrix(x.shape[axis], new, mode, x.dtype, x.device)).movedim(-1, axis)
    return x.contiguous()


@lru_cache(maxsize=64)
def _matrix(length: int, size: int, mode: str, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return what each of the old places gives to each of the new ones, ``(length, size)``."""
    places = torch.eye(length, dtype=torch.float64)[:, None]
    return F.interpolate(places, size, mode=mode)[:, 0].to(device, dtype)
