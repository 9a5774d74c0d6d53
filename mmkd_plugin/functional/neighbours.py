"""Products between every position of a map and the positions around the same place in another, for local attention."""

from __future__ import annotations

from numbers import Integral

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .parallel import compiled

__all__ = ['neighbour_scores', 'neighbour_sum']


def neighbour_scores(query: Tensor, key: Tensor, groups: int, kernel_size: int) -> Tensor:
    """Return the inner product of every position with each of its neighbours, separately for each group of channels.

    Args:
        query (Tensor): ``(N, C, H, W)``.
        key (Tensor): ``(N, C, H, W)``; zero beyond the border.
        groups (int): G, a divisor of C.
        kernel_size (int): k, odd.

    Returns:
        Tensor: ``(N, G, k², H, W)``, neighbours row by row.

    Raises:
        ValueError: Shapes, dtypes or devices do not fit, or the number of groups or the kernel's size is out of range.
    """
    _check_size(kernel_size)
    if query.ndim != 4 or key.shape != query.shape:
        raise ValueError(f'query and key must both have shape (N, C, H, W), got {tuple(query.shape)} and {tuple(key.shape)}')
    if not isinstance(groups, Integral) or groups < 1 or query.shape[1] % groups:
        raise ValueError(f'groups must be a divisor of the {query.shape[1]} channels, got {groups!r}')
    _check_pair('query', query, 'key', key)
    if _compiled(query, key):
        return _Scores.apply(query, key, groups, kernel_size)
    split = query.unflatten(1, (groups, -1))  # (N, G, C / G, H, W)
    return (split[:, :, :, None] * _around(key, groups, kernel_size)).sum(2)


def neighbour_sum(weights: Tensor, value: Tensor, kernel_size: int) -> Tensor:
    """Return the weighted sum of each position's neighbours.

    Args:
        weights (Tensor): ``(N, G, k², H, W)``.
        value (Tensor): ``(N, C, H, W)``; zero beyond the border.
        kernel_size (int): k, odd.

    Returns:
        Tensor: ``(N, C, H, W)``.

    Raises:
        ValueError: Shapes, dtypes or devices do not fit, or the kernel's size is out of range.
    """
    _check_size(kernel_size)
    if value.ndim != 4:
        raise ValueError(f'value must have shape (N, C, H, W), got {tuple(value.shape)}')
    n, channels, height, width = value.shape
    groups = weights.shape[1] if weights.ndim == 5 else 0
    if tuple(weights.shape) != (n, groups, kernel_size**2, height, width) or not groups or channels % groups:
        raise ValueError(
            f'weights must have shape (N, G, k², H, W) = ({n}, G, {kernel_size**2}, {height}, {width}) with G a divisor of '
            f'{channels}, for a value {tuple(value.shape)} and k = {kernel_size}; got {tuple(weights.shape)}'
        )
    _check_pair('weights', weights, 'value', value)
    if _compiled(weights, value):
        return _Sum.apply(weights, value, kernel_size)
    return (weights[:, :, None] * _around(value, groups, kernel_size)).sum(3).flatten(1, 2)


def _check_size(kernel_size: int) -> None:
    if not isinstance(kernel_size, Integral) or kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f'kernel_size must be an odd whole number of at least 1, got {kernel_size!r}')


def _check_pair(one: str, a: Tensor, other: str, b: Tensor) -> None:
    if not (a.is_floating_point() and b.is_floating_point()):
        raise ValueError(f'{one} and {other} must be of a floating-point dtype, got {a.dtype} and {b.dtype}')
    if a.device != b.device:
        raise ValueError(f'{one} and {other} must be on one device, got {a.device} and {b.device}')


def _compiled(a: Tensor, b: Tensor) -> bool:
    """Whether the kernels read these tensors: memory of the processor, in one precision that they know."""
    return a.device.type == 'cpu' and a.dtype == b.dtype and a.dtype in (torch.float32, torch.float64)


def _around(x: Tensor, groups: int, k: int) -> Tensor:
    """Return every position's neighbours, row by row, with zeros beyond the border, ``(N, G, C / G, k², H, W)``."""
    windows = F.pad(x, [k // 2] * 4).unfold(2, k, 1).unfold(3, k, 1)  # (N, C, H, W, k, k)
    return windows.permute(0, 1, 4, 5, 2, 3).flatten(2, 3).unflatten(1, (groups, -1))


class _Scores(torch.autograd.Function):
    @staticmethod
    def forward(ctx, query: Tensor, key: Tensor, groups: int, size: int) -> Tensor:
        ctx.save_for_backward(query, key)
        ctx.size = size
        return _run_scores(query, key, groups, size)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple:
        query, key = ctx.saved_tensors
        return _run_sum(grad, key, ctx.size, 1), _run_sum(grad, query, ctx.size, -1), None, None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weights: Tensor, value: Tensor, size: int) -> Tensor:
        ctx.save_for_backward(weights, value)
        ctx.size = size
        return _run_sum(weights, value, size, 1)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple:
        weights, value = ctx.saved_tensors
        return _run_scores(grad, value, weights.shape[1], ctx.size), _run_sum(weights, grad, ctx.size, -1), None


def _run_scores(query: Tensor, key: Tensor, groups: int, size: int) -> Tensor:
    n, _, height, width = query.shape
    out = query.new_zeros(n, groups, size * size, height, width)
    _scores(_array(query), _array(key), size, out.numpy())
    return out


def _run_sum(weights: Tensor, value: Tensor, size: int, sign: int) -> Tensor:
    out = torch.zeros_like(value, memory_format=torch.contiguous_format)
    _sum(_array(weights), _array(value), size, sign, out.numpy())
    return out


def _array(x: Tensor) -> np.ndarray:
    return x.detach().resolve_neg().contiguous().numpy()


# A plane and its border are laid out in one row, `stride` apart, in a buffer that stays in the cache: then a neighbour is a
# constant offset away, and the inner loops run over the whole plane in vectors.
@compiled
def _scores(query, key, size, out):
    samples, groups, offsets, height, width = out.shape
    channels, reach = query.shape[1] // groups, size // 2
    stride = width + 2 * reach
    length = height * stride
    centre, around = np.zeros(length, query.dtype), np.zeros(length + 2 * reach * (stride + 1), query.dtype)
    scores = np.zeros((offsets, length), query.dtype)
    for n in range(samples):
        for g in range(groups):
            scores[:] = 0
            for c in range(g * channels, (g + 1) * channels):
                _lay_out(query[n, c], centre, stride, 0)
                _lay_out(key[n, c], around, stride, reach * (stride + 1))
                for p in range(offsets):
                    _multiply_add(centre, around[p // size * stride + p % size :], scores[p])
            for p in range(offsets):
                for y in range(height):
                    out[n, g, p, y] = scores[p, y * stride : y * stride + width]


@compiled
def _sum(weights, value, size, sign, out):
    """Add up neighbours: with sign 1 a position takes from its neighbours, with −1 it gives to them, which is the transpose."""
    samples, groups, offsets, height, width = weights.shape
    channels, reach = value.shape[1] // groups, size // 2
    stride = width + 2 * reach
    length, border = height * stride, reach * (stride + 1)
    centre, around = np.zeros(length, value.dtype), np.zeros(length + 2 * border, value.dtype)
    planes = np.zeros((offsets, length), value.dtype)
    for n in range(samples):
        for g in range(groups):
            for p in range(offsets):
                _lay_out(weights[n, g, p], planes[p], stride, 0)
            for c in range(g * channels, (g + 1) * channels):
                if sign > 0:
                    centre[:] = 0
                    _lay_out(value[n, c], around, stride, border)
                    for p in range(offsets):
                        _multiply_add(planes[p], around[p // size * stride + p % size :], centre)
                else:
                    around[:] = 0
                    _lay_out(value[n, c], centre, stride, 0)
                    for p in range(offsets):
                        _multiply_add(planes[p], centre, around[p // size * stride + p % size :])
                for y in range(height):
                    if sign > 0:
                        out[n, c, y] = centre[y * stride : y * stride + width]
                    else:
                        out[n, c, y] = around[border + y * stride : border + y * stride + width]


@compiled
def _lay_out(plane, row, stride, start):
    height, width = plane.shape
    for y in range(height):
        for x in range(width):
            row[start + y * stride + x] = plane[y, x]


@compiled
def _multiply_add(a, b, into):
    for t in range(min(len(a), min(len(b), len(into)))):
        into[t] += a[t] * b[t]
