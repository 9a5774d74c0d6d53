"""Numbers that look random and are the same wherever they are made: whole numbers of PCG64, whose stream NumPy does not change."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

__all__ = ['Drawn', 'fill', 'uniform']


def _raw(stream: np.random.PCG64, count: int) -> np.ndarray:
    """Return numbers from 0 to 1, exact in float64: whole numbers by a power of 2, so that no library's rounding is in them."""
    return (stream.random_raw(count) >> np.uint64(11)) * 2.0**-53


def uniform(name: str, *shape: int) -> Tensor:
    """Return numbers from −1 to 1 that follow from a name, float64."""
    stream = np.random.PCG64(zlib.crc32(name.encode()))
    return torch.from_numpy(2 * _raw(stream, int(np.prod(shape))) - 1).reshape(shape)


class Drawn(TorchFunctionMode):
    """A block in which what torch would draw at random follows from a name alone, whatever the version of torch.

    Numbers without a dtype have torch's default one. ``normal`` numbers are sums of four uniform ones: neither logarithm nor root
    is taken, which hosts round differently. Initialisers of torch are not reached, see :func:`fill`.

    Args:
        name (str): What the numbers follow from.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._stream = np.random.PCG64(zlib.crc32(name.encode()))
        self._made: dict[Callable, Callable] = {
            torch.rand: self._uniform,
            torch.randn: self._normal,
            torch.randint: self._whole,
            torch.randperm: self._permutation,
            torch.Tensor.random_: lambda tensor, **_: tensor.zero_(),  # seeds of workers
        }

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        """Make the numbers of functions that draw some, and call all others."""
        return self._made.get(func, func)(*args, **(kwargs or {}))

    def _numbers(self, shape: tuple, dtype: torch.dtype | None, draw: Callable[[int], np.ndarray]) -> Tensor:
        shape = torch.Size(shape[0] if shape and not isinstance(shape[0], int) else shape)
        default = torch.get_default_dtype()
        if dtype is not None and dtype.is_complex:
            parts = torch.from_numpy(draw(2 * shape.numel())).to(default)
            return torch.view_as_complex(parts.reshape(*shape, 2))
        return torch.from_numpy(draw(shape.numel())).reshape(shape).to(default if dtype is None else dtype)

    def _uniform(self, *shape: Any, dtype: torch.dtype | None = None, **_: Any) -> Tensor:
        return self._numbers(shape, dtype, lambda count: _raw(self._stream, count))

    def _normal(self, *shape: Any, dtype: torch.dtype | None = None, **_: Any) -> Tensor:
        return self._numbers(shape, dtype, lambda count: 1.75 * (_raw(self._stream, 4 * count).reshape(4, count).sum(0) - 2))

    def _whole(self, *bounds: Any, **_: Any) -> Tensor:
        *limits, size = bounds
        low, high = limits if len(limits) == 2 else (0, *limits)
        return self._numbers((size,), torch.int64, lambda count: low + np.floor((high - low) * _raw(self._stream, count)))

    def _permutation(self, count: int, **_: Any) -> Tensor:
        return torch.from_numpy(np.argsort(_raw(self._stream, count), kind='stable'))


@torch.no_grad()
def fill(module: nn.Module, name: str = '') -> None:
    """Give a network weights that follow from their names, since torch's initialisers may change with its version.

    Matrices and filters keep the size of what goes through them; scales lie around 1, shifts around 0.

    Args:
        module (nn.Module): Changed in place.
        name (str): What the weights follow from beside their names.
    """
    for key, tensor in _numbers_of(module):
        draw = uniform(f'{name} {key}', *tensor.shape)
        last = key.rpartition('.')[2]
        if last == 'running_var' or (last == 'weight' and tensor.ndim == 1):
            draw = 1 + 0.2 * draw
        elif tensor.ndim == 0:
            draw = 0.5 + 0.1 * draw
        else:
            draw = draw * ((3 * len(tensor) / tensor.numel()) ** 0.5 if tensor.ndim > 1 else 0.1)
        tensor.copy_(draw)


def _numbers_of(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield what a network has learned: its parameters, statistics of norms, and the network of learned weights of teachers."""
    yield from module.named_parameters()
    for key, buffer in module.named_buffers():
        if key.rpartition('.')[2] in ('running_mean', 'running_var', 'network'):
            yield key, buffer
