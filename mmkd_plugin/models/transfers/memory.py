"""Memories of all training samples, as one network and as another see them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, all_reduce, broadcast
from torch import Tensor, nn

from mmkd_plugin.functional import noise_contrast

__all__ = ['SampleMemory']


class SampleMemory(nn.Module):
    """Two memories of n unit vectors, embeddings into their space, and the loss against them: Tian et al., ICLR 2020.

    Everything that a resumed run needs is in the state dict: vectors, normalisers and the count of steps, which also seeds the
    draw of negatives. With several processes each sees its part of the batch, and all memories take in all parts.

    Args:
        target (int): Width of the student's vector.
        source (int): Width of the teacher's vector.
        dim (int): Width of the remembered vectors.
        tau (float): Temperature.
        negatives (int): Most negatives of a sample.
        momentum (float): Share of the old vector that stays.
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
        """Fill the memories with random unit vectors, the same in every process.

        Args:
            labels (Tensor): Of the training set, ``(n, )``.

        Raises:
            ValueError: All samples are of one class, so that there is no negative.
        """
        if len(labels.unique()) < 2:
            raise ValueError(f'contrast needs training samples of two classes at least, got {len(labels)} samples of one')
        dim, device = self.embed_target.out_features, self.embed_target.weight.device
        for name in ('target_memory', 'source_memory'):
            memory = F.normalize(torch.randn(len(labels), dim), dim=1).to(device)
            broadcast(memory)
            setattr(self, name, memory)
        self.labels = labels.to(device)

    def forward(self, target: Tensor, source: Tensor, labels: Tensor, index: Tensor) -> Tensor:
        """Loss of both directions, student against the teacher's memory and the other way round.

        Args:
            target (Tensor): ``(N, C)``.
            source (Tensor): ``(N, C')``.
            labels (Tensor): ``(N, )``.
            index (Tensor): Places in the training set, ``(N, )``.

        Returns:
            Tensor: ``(N, )``.

        Raises:
            RuntimeError: There is no memory yet, or a sample's label is not the one remembered: the training set is another.
        """
        if not len(self.labels):
            raise RuntimeError('the memory bank is empty: MemoryBankHook, or Distiller.remember(labels), must come first')
        if index.max() >= len(self.labels) or not torch.equal(self.labels[index], labels):
            raise RuntimeError('the batch is not of the training set that the memory was made for')
        a, b = F.normalize(self.embed_target(target), dim=1), F.normalize(self.embed_source(source), dim=1)  # (N, d)
        negative = self._negatives(labels)  # (N, n)
        loss = self._contrast(a, self.source_memory, index, negative, 0)
        loss = loss + self._contrast(b, self.target_memory, index, negative, 1)
        if self.training:
            self._move_on(a, b, index)
        return loss

    @torch.no_grad()
    def _negatives(self, labels: Tensor) -> Tensor:
        """Remembered samples of other classes, at most :attr:`negatives` of them drawn for each sample: ``(N, n)``, boolean."""
        others = self.labels[None] != labels[:, None]  # (N, n)
        if self.negatives >= int(others.sum(1).max()):
            return others
        generator = torch.Generator().manual_seed(int(self.steps))
        lots = torch.rand(others.shape, generator=generator).to(others.device).masked_fill(~others, -1)
        drawn = lots.topk(self.negatives, dim=1).indices
        return others & torch.zeros_like(others).scatter(1, drawn, True)

    def _contrast(self, vectors: Tensor, memory: Tensor, index: Tensor, negative: Tensor, side: int) -> Tensor:
        scores = vectors @ memory.T / self.tau  # (N, n)
        with torch.no_grad():
            if not self.z[side] > 0:
                compared = negative.clone().scatter(1, index[:, None], True)
                first = scores.exp()[compared].mean() * len(memory)
                all_reduce(first, op='mean')
                self.z[side] = first
        # A copy: the number in the buffer is the same for good, but autograd does not know.
        return noise_contrast(scores, index, negative, self.z[side].clone())

    @torch.no_grad()
    def _move_on(self, a: Tensor, b: Tensor, index: Tensor) -> None:
        """Take the batch in; new tensors, because the loss still needs the old ones."""
        places = torch.cat(all_gather(index.contiguous()))
        # A sampler may give one sample to two processes to even out the parts; the first one counts, everywhere.
        order = places.argsort(stable=True)
        first = torch.ones_like(order, dtype=torch.bool)
        first[1:] = places[order][1:] != places[order][:-1]
        chosen = order[first]
        for name, vectors in (('target_memory', a), ('source_memory', b)):
            vectors = torch.cat(all_gather(vectors.detach().contiguous()))[chosen]
            old = getattr(self, name)
            mixed = self.momentum * old[places[chosen]] + (1 - self.momentum) * vectors
            setattr(self, name, old.index_copy(0, places[chosen], F.normalize(mixed, dim=1)))
        self.steps += 1
