"""Weights that do not depend on the sample."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import check_number

__all__ = ['Fixed', 'Uniform']


@MODELS.register_module()
class Fixed(nn.Module):
    """Named weights, used as given: ``dict(type='Fixed', sig=.4, gaf=.3, pi=.3)``.

    Args:
        names (Sequence[str]): Names of the source networks, given by the transfer.
        **weights (float): One for each source.

    Raises:
        ValueError: The weights' names are not those of the sources, or a weight is negative or no number.
    """

    constant = True  # the same for every sample and epoch, so that a log has nothing to tell

    def __init__(self, names: Sequence[str], **weights: float) -> None:
        super().__init__()
        if set(weights) != set(names):
            raise ValueError(f'Fixed has weights for {sorted(weights)}, but the transfer comes from {sorted(names)}')
        self.weights = tuple(check_number(name, weights[name]) for name in names)
        if abs(sum(weights.values()) - 1) > 1e-6:
            warnings.warn(
                f'the weights {weights} sum to {sum(weights.values()):g}, not 1; they are used as given', stacklevel=2
            )

    def forward(self, logits: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the weights of the teachers.

        Args:
            logits (Sequence[Tensor]): Logits of each source, ``(N, K)``.
            labels (Tensor): ``(N, )``.

        Returns:
            Tensor: ``(T, N)``.
        """
        weights = torch.tensor(self.weights, device=labels.device)
        return weights[:, None].expand(-1, labels.shape[0])  # (T, N)


@MODELS.register_module()
class Uniform(Fixed):
    """The same weight 1/T for each of T sources."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names, **{name: 1 / len(names) for name in names})
