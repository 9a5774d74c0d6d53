"""Memory bank of the training samples, with one vector of each network per sample."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, all_reduce, broadcast
from torch import Tensor, nn

from mmkd_plugin.functional import noise_contrast
from mmkd_plugin.functional.precision import in_full_precision

__all__ = ['MemoryBank']


class MemoryBank(nn.Module):
    """Two banks of n unit vectors, embeddings into their space, and the loss against them: Tian et al., ICLR 2020.

    The state dict holds all that a resumed run needs: vectors, normalisers and the number of steps, which also seeds the draw
    of negatives. With several processes each reads its part of the batch, and every bank is updated with all parts.

    Args:
        target (int): Width of the student's vector.
        source (int): Width of the teacher's vector.
        dim (int): Width of the vectors in the bank.
        tau (float): Temperature.
        negatives (int): Largest number of negatives of a sample.
        momentum (float): Share of the old vector that is kept.
    """

    target_memory: Tensor
    source_memory: Tensor
    labels: Tensor
    z: Tensor
    steps: Tensor

    def __init__(self, target: int, source: int, dim: int, tau: float, negatives: int, momentum: float) -> None:
        super().__init__()
        self.tau, self.negatives, self.momentum = tau, negatives, momentum
        self.embed_target, self.embed_source = nn.Linear(target, dim), nn.Linear(source, dim)
        for name in ('target_memory', 'source_memory'):
            self.register_buffer(name, torch.empty(0, dim))
        self.register_buffer('labels', torch.empty(0, dtype=torch.long))
        # Normalisers of the two sides, fixed by the first batch; 0 until then.
        self.register_buffer('z', torch.zeros(2))
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))

    def allocate(self, labels: Tensor) -> None:
        """Fill the banks with random unit vectors, the same in every process.

        Args:
            labels (Tensor): Labels of the training samples, ``(n, )``.

        Raises:
            ValueError: All samples belong to one class, so that there is no negative.
        """
        if len(labels.unique()) < 2:
            raise ValueError(f'contrast needs training samples of two classes at least, got {len(labels)} samples of one')
        dim, device = self.embed_target.out_features, self.embed_target.weight.device
        for name in ('target_memory', 'source_memory'):
            bank = F.normalize(torch.randn(len(labels), dim), dim=1).to(device)
            broadcast(bank)
            setattr(self, name, bank)
        self.labels = labels.to(device)

    def forward(self, target: Tensor, source: Tensor, labels: Tensor, index: Tensor) -> Tensor:
        """Return the loss of both directions, the student against the teacher's bank and the reverse.

        Args:
            target (Tensor): ``(N, C)``.
            source (Tensor): ``(N, C')``.
            labels (Tensor): ``(N, )``.
            index (Tensor): Indices in the training set, ``(N, )``.

        Returns:
            Tensor: ``(N, )``.

        Raises:
            RuntimeError: The bank is empty, or a sample's label differs from the bank's: the training set is another.
        """
        if not len(self.labels):
            raise RuntimeError('the memory bank is empty: MemoryBankHook, or Distiller.remember(labels), must come first')
        if index.max() >= len(self.labels) or not torch.equal(self.labels[index], labels):
            raise RuntimeError('the batch is not from the training set that the memory bank was allocated for')
        a, b = F.normalize(self.embed_target(target), dim=1), F.normalize(self.embed_source(source), dim=1)  # (N, d)
        negative = self._negatives(labels)  # (N, n)
        loss = self._contrast(a, self.source_memory, index, negative, 0)
        loss = loss + self._contrast(b, self.target_memory, index, negative, 1)
        if self.training:
            self._update(a, b, index)
        return loss

    @torch.no_grad()
    def _negatives(self, labels: Tensor) -> Tensor:
        """Return the samples of other classes, at most :attr:`negatives` drawn for each sample, ``(N, n)``, boolean."""
        others = self.labels[None] != labels[:, None]  # (N, n)
        if self.negatives >= int(others.sum(1).max()):
            return others
        generator = torch.Generator().manual_seed(int(self.steps))
        draws = torch.rand(others.shape, generator=generator).to(others.device).masked_fill(~others, -1)
        drawn = draws.topk(self.negatives, dim=1).indices
        return others & torch.zeros_like(others).scatter(1, drawn, True)

    @in_full_precision
    def _contrast(self, vectors: Tensor, bank: Tensor, index: Tensor, negative: Tensor, side: int) -> Tensor:
        scores = vectors @ bank.T / self.tau  # (N, n)
        with torch.no_grad():
            if not self.z[side] > 0:
                compared = negative.clone().scatter(1, index[:, None], True)
                first = scores.exp()[compared].mean() * len(bank)
                all_reduce(first, op='mean')
                self.z[side] = first
        # A copy, since autograd cannot know that the number in the buffer stays the same.
        return noise_contrast(scores, index, negative, self.z[side].clone())

    @torch.no_grad()
    def _update(self, a: Tensor, b: Tensor, index: Tensor) -> None:
        """Mix the batch into the banks, which become new tensors, because the loss still needs the old ones."""
        indices = torch.cat(all_gather(index.contiguous()))
        # A sampler may give one sample to two processes to even out the parts; every process keeps the first one.
        order = indices.argsort(stable=True)
        first = torch.ones_like(order, dtype=torch.bool)
        first[1:] = indices[order][1:] != indices[order][:-1]
        chosen = order[first]
        for name, vectors in (('target_memory', a), ('source_memory', b)):
            vectors = torch.cat(all_gather(vectors.detach().contiguous()))[chosen]
            old = getattr(self, name)
            mixed = self.momentum * old[indices[chosen]] + (1 - self.momentum) * vectors
            setattr(self, name, old.index_copy(0, indices[chosen], F.normalize(mixed, dim=1)))
        self.steps += 1
