"""Precision of distances: at least float32 whatever the precision of the networks, without gradients of no direction."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

__all__ = ['in_full_precision', 'unit']

P = ParamSpec('P')
R = TypeVar('R')

SMALLEST = 1e-12  # norm up to which a vector has no direction, as in torch.nn.functional.normalize
HALF = (torch.float16, torch.bfloat16)


def in_full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a function of tensors so that its products and sums are computed in float32 at least.

    Tensors of half precision, also those in lists, become float32, and autocast is switched off: the largest number of float16
    is 65,504, which Gram matrices of real features exceed. Tensors are made contiguous, so that sums have one order and the
    result does not depend on strides. The result is float32, or float64 for tensors of double precision.

    Args:
        function (Callable): Function or method.

    Returns:
        Callable: The same for float32 and float64.
    """

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        device = next((x.device.type for x in _tensors([*args, *kwargs.values()])), 'cpu')
        known = torch.amp.is_autocast_available(device)  # not on the meta device, which has shapes alone
        with torch.autocast(device if known else 'cpu', enabled=False):
            return function(*map(_full, args), **{name: _full(value) for name, value in kwargs.items()})  # type: ignore[arg-type]

    return wrapped


def _tensors(values: list | tuple) -> list[Tensor]:
    return [
        x
        for value in values
        for x in (_tensors(value) if isinstance(value, (list, tuple)) else [value])
        if isinstance(x, Tensor)
    ]


def _full(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return type(value)(_full(each) for each in value)
    if not isinstance(value, Tensor):
        return value
    return (value.float() if value.dtype in HALF else value).contiguous()


def unit(x: Tensor, dim: int) -> Tensor:
    """Return vectors over their L2 norm; a vector up to 1e-12 long has no direction and becomes 0, without gradient.

    :func:`torch.nn.functional.normalize` has a gradient of 1e12 there.

    Args:
        x (Tensor): Any shape.
        dim (int): Axis of the vectors.

    Returns:
        Tensor: As x.
    """
    norm = x.norm(2, dim, keepdim=True)
    return x / torch.where(norm > SMALLEST, norm, torch.inf)
