"""Bounds on what a file of others may ask for: neither time nor memory goes beyond what its own weights need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import get_ident
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.nn.parameter import is_lazy

from .contract import Contract

__all__ = ['bounded_by', 'check_size']

PARTS = 100  # modules, parameters and buffers for each tensor of the file; networks have two or three
VALUES = 4  # numbers of parameters and buffers for each number of the file; some buffers are in no file
LEAST = 2**20  # numbers that any file may ask for
MOST_NUMBERS = 2**24  # of a window
MOST_PRODUCTS = 2**28  # numbers that an image is made of: of every channel, rows times columns, or times samples
USUAL = 64  # rows or columns of a view that says no number; encoders have 32, and some twice that on the way
STEPS = ('hop', 'delay')  # settings of views that cost the less the larger they are


@contextmanager
def bounded_by(state: Mapping[str, Any]) -> Iterator[None]:
    """Refuse, while a network is built, to build far more of it than a file has weights for: it may name any depth and width.

    Args:
        state (Mapping[str, Any]): State dict of the file.

    Raises:
        ValueError: Of what is built: it has too many parts, or too large ones.
    """
    builder = get_ident()
    tensors = [value for value in state.values() if isinstance(value, Tensor)]
    parts, values = PARTS * (1 + len(tensors)), LEAST + VALUES * sum(tensor.numel() for tensor in tensors)

    def count(owner: nn.Module, name: str, part: Any) -> None:
        nonlocal parts, values
        if get_ident() != builder:  # the hooks are those of all threads
            return
        parts -= 1
        values -= part.numel() if isinstance(part, Tensor) and not is_lazy(part) else 0
        if parts < 0 or values < 0:
            raise ValueError(f'it is far larger than the {len(tensors):,} tensors of weights in the file')

    with ExitStack() as stack:
        for register in (
            hooks.register_module_module_registration_hook,
            hooks.register_module_parameter_registration_hook,
            hooks.register_module_buffer_registration_hook,
        ):
            stack.callback(register(count).remove)
        yield


def check_size(contract: Contract) -> None:
    """See that windows, and what a view computes of them, are of a size that fits into memory.

    Raises:
        ValueError: They are not.
    """
    channels, samples = contract.shape
    windows = f'windows of {channels:,} channel(s) and {samples:,} samples'
    if channels * samples > MOST_NUMBERS:
        raise ValueError(f'the student reads {windows}: more than {MOST_NUMBERS:,} numbers')
    if not contract.view:
        return
    counts = [value for name, value in contract.view.items() if isinstance(value, int) and name not in STEPS]
    lists = [len(value) for value in contract.view.values() if isinstance(value, (list, tuple))]
    largest = max([USUAL, *counts, *lists])  # rows, columns, bins, dimensions or scales
    if channels * largest * max(samples, largest) > MOST_PRODUCTS:
        raise ValueError(
            f'the student reads {contract.view.get("type")} by {largest:,} of {windows}: more than {MOST_PRODUCTS:,} numbers'
        )
