"""Layers by number of space axes, and the initialisation of weights."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

__all__ = ['CONV', 'INIT', 'NORM', 'run_stages']

CONV = {1: nn.Conv1d, 2: nn.Conv2d}
NORM = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}

# He et al., ICCV 2015, section 2.2 (https://arxiv.org/abs/1502.01852), for convolutions beside a ReLU; norms start as identity.
INIT = [
    dict(type='Kaiming', layer=['Conv1d', 'Conv2d']),
    dict(type='Constant', val=1, layer=['BatchNorm1d', 'BatchNorm2d']),
]


def run_stages(stages: Iterable[nn.Module], x: Tensor) -> tuple[Tensor, ...]:
    """Run modules one after another and return the output of each."""
    out = []
    for stage in stages:
        x = stage(x)
        out.append(x)
    return tuple(out)
