"""Knowledge in contrast between the student's and the teacher's vectors of one sample and those of other samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmkd_plugin.functional import batch_consistency, batch_contrast
from mmkd_plugin.functional.precision import in_full_precision
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Shape, Taps, check_number, shape_of

from .base import Transfer
from .memory_bank import MemoryBank

__all__ = ['BatchContrastTransfer', 'ContrastiveTransfer']


class _VectorTransfer(Transfer):
    """Base of transfers that embed both sides, so that vectors of any width can be paired."""

    pairs: nn.ModuleDict

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Return the target's shape: both sides are vectors, of any width."""
        if len(target) != 1 or len(source) != 1:
            raise ValueError(f'contrast is between vectors (C, ), got {source} for {target}')
        return target

    def bind(self, taps: Mapping[str, Taps]) -> None:
        """Look the addresses up and size an embedding of both sides for each source."""
        super().bind(taps)
        width = shape_of(self.target.read(taps))[0]
        self.pairs = nn.ModuleDict({s.node: self.pair(width, shape_of(s.read(taps))[0]) for s in self.sources})

    def pair(self, target: int, source: int) -> nn.Module:
        """Build the module that embeds and contrasts vectors of these widths."""
        raise NotImplementedError(f'{type(self).__name__} builds no module that embeds vectors')


@MODELS.register_module()
class ContrastiveTransfer(_VectorTransfer):
    """CRD: noise-contrastive estimation against memory banks of the training samples, a pair of banks for each teacher.

    Tian et al., ICLR 2020, section 3. Negatives are the samples of other classes in the bank: all of them up to ``negatives``,
    else as many drawn without replacement, separately for each sample, so that classes may have any size. With n training
    samples and d dimensions the banks of a teacher take 2·4·n·d bytes, and a batch of N samples 4·N·n for each of the two
    similarity tables.

    Args:
        dim (int): Width d of the embeddings.
        tau (float): Temperature, above 0.
        negatives (int): Largest number of negatives of a sample.
        momentum (float): Share of the old vector that a bank keeps, from 0 to below 1.
        **transfer: See :class:`Transfer`.

    Raises:
        ValueError: A number is out of range, or source or target is not a vector.
    """

    has_memory_bank = True

    def __init__(self, dim: int = 128, tau: float = 0.07, negatives: int = 16384, momentum: float = 0.5, **transfer) -> None:
        super().__init__(**transfer)
        if dim < 1 or negatives < 1 or not tau > 0 or not 0 <= momentum < 1:
            raise ValueError(
                'ContrastiveTransfer needs dim and negatives of at least 1, tau above 0 and momentum from 0 to below 1; '
                f'got dim={dim}, negatives={negatives}, tau={tau}, momentum={momentum}'
            )
        self.options: dict[str, Any] = dict(dim=dim, tau=tau, negatives=negatives, momentum=momentum)

    def pair(self, target: int, source: int) -> MemoryBank:
        """Build a pair of banks."""
        return MemoryBank(target, source, **self.options)

    def remember(self, labels: Tensor) -> None:
        """Allocate one vector per training sample on each side.

        Args:
            labels (Tensor): Labels of the training samples, ``(n, )``.
        """
        for bank in self.banks():
            bank.allocate(labels)

    def banks(self) -> list[MemoryBank]:
        """Return the pairs of banks, in the order of the sources."""
        return [cast(MemoryBank, self.pairs[name]) for name in self.names]

    def per_sample(self, taps: Mapping[str, Taps], labels: Tensor, index: Tensor | None = None) -> Tensor:
        """Return the losses ``(N, )``; in training mode the banks are updated.

        Raises:
            ValueError: The index is missing.
        """
        if index is None:
            raise ValueError(
                "ContrastiveTransfer needs each sample's index in the training set: PackWindows(meta_keys) keeps sample_idx"
            )
        targets, sources = self.read(taps)
        weights = self.weights(taps, targets, labels)  # (T, N)
        losses = self._distances(self.banks(), targets, sources, self.present(taps), labels, index)
        return (weights * torch.stack(losses)).sum(0)


class _BatchPair(nn.Module):
    """Embeddings of two sides and the temperature of their similarities."""

    def __init__(self, target: int, source: int, dim: int) -> None:
        super().__init__()
        self.embed_target, self.embed_source = nn.Linear(target, dim), nn.Linear(source, dim)
        self.log_scale = nn.Parameter(torch.tensor(1.0))  # the published start, a scale of e

    def forward(self, target: Tensor, source: Tensor) -> Tensor:
        """Return the scaled similarities of every target to every source of the batch, ``(N, N)``."""
        a, b = F.normalize(self.embed_target(target), dim=1), F.normalize(self.embed_source(source), dim=1)
        return self._similarities(a, b)

    @in_full_precision
    def _similarities(self, a: Tensor, b: Tensor) -> Tensor:
        return self.log_scale.clamp_max(math.log(10)).exp() * a @ b.T


@MODELS.register_module()
class BatchContrastTransfer(_VectorTransfer):
    """DCD: contrast within the batch, at a learned temperature, and consistency of the relations of both sides to the batch.

    Giakoumoglou & Stathaki 2024 (arXiv:2407.11802). There is no memory bank. The published bias is left out: a
    shift of all similarities leaves a softmax unchanged and has no gradient.

    Args:
        dim (int): Width of the embeddings.
        consistency (float): Weight of the divergence between rows and columns of the similarities, at least 0.
        **transfer: See :class:`Transfer`. ``mutual=True`` aligns two learners in one shared space.
    """

    def __init__(self, dim: int = 128, consistency: float = 0.5, **transfer) -> None:
        super().__init__(**transfer)
        self.dim, self.consistency = dim, check_number('consistency', consistency)

    def pair(self, target: int, source: int) -> _BatchPair:
        """Build the embeddings and the temperature."""
        return _BatchPair(target, source, self.dim)

    def combine(
        self, targets: list[Tensor], sources: list[Tensor], weights: Tensor, labels: Tensor, present: Tensor | None = None
    ) -> Tensor:
        """Return the losses of ``(N, C)`` and ``(N, C')`` for each source, ``(N, )``."""
        contrasts = [partial(self._contrast, name) for name in self.names]
        return (weights * torch.stack(self._distances(contrasts, targets, sources, present))).sum(0)

    def _contrast(self, name: str, target: Tensor, source: Tensor) -> Tensor:
        scores = self.pairs[name](target, source)  # (N, N)
        return batch_contrast(scores) + self.consistency * batch_consistency(scores)
