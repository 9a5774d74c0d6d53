"""Taps of one batch, each network run when its taps are first read, with labels and indices of the samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmkd_plugin.structures import Taps

if TYPE_CHECKING:
    from .distiller import Distiller

__all__ = ['LazyTaps', 'labels_and_indices']


class LazyTaps(Mapping):
    """Taps by network name, each network run when it is first read.

    Args:
        distiller (Distiller): Owner of the networks.
        inputs (dict[str, Tensor]): Views of the batch.
        index (Tensor, optional): Indices of the samples in the training set, ``(N, )``; with them, cached outputs of teachers
            are read.
        data_samples (list[DataSample], optional): Tell which streams a window lacks; none by default.
    """

    def __init__(
        self,
        distiller: Distiller,
        inputs: dict[str, Tensor],
        index: Tensor | None = None,
        data_samples: list[DataSample] | None = None,
    ) -> None:
        self.distiller, self.inputs, self.index = distiller, inputs, index
        self.missing = [sample.get('missing', ()) for sample in data_samples or ()]
        self.taps: dict[str, Taps] = {}

    def __getitem__(self, name: str) -> Taps:
        if name not in self.taps:
            taps = self._run(name)
            present = self._present(name, taps.logits.device)
            self.taps[name] = taps if present is None else replace(taps, present=present)
        return self.taps[name]

    def _present(self, name: str, device: torch.device) -> Tensor | None:
        """Return which samples have what a network reads, ``(N, )``; None for all.

        Raises:
            ValueError: A learner's stream is missing: there is nothing that it could learn from or predict of.
        """
        if not any(self.missing):
            return None
        streams = set(self.distiller.streams_of(name))
        lacking = [bool(streams & set(missing)) for missing in self.missing]
        if not any(lacking):
            return None
        if name not in self.distiller.teachers:
            wanted = ', '.join(map(repr, sorted(streams)))
            raise ValueError(
                f"learner '{name}' reads the stream {wanted}, which {sum(lacking)} of {len(lacking)} windows of a batch lack; "
                f'WindowDataset(required=[{wanted}]) leaves such windows out'
            )
        return ~torch.tensor(lacking, device=device)

    def _run(self, name: str) -> Taps:
        distiller = self.distiller
        if name in distiller.reads:
            return distiller.learners[name](*[self[branch] for branch in distiller.reads[name]])
        if self.index is not None and name in distiller.caches:
            return distiller.caches[name].read(self.index, distiller.teachers[name], self.index.device)
        view = self.inputs[distiller.views[name]]
        if name in distiller.teachers:
            with torch.no_grad():
                return distiller.teachers[name](view)
        return distiller.learners[name](view)

    def __iter__(self) -> Iterator[str]:
        return iter([*self.distiller.learners, *self.distiller.teachers])

    def __len__(self) -> int:
        return len(self.distiller.learners) + len(self.distiller.teachers)


def labels_and_indices(data_samples: list[DataSample]) -> tuple[Tensor, Tensor | None]:
    """Return the labels of a batch, ``(N, )``, and its indices in the training set, ``(N, )``, or None without them."""
    labels = torch.cat([sample.gt_label for sample in data_samples])
    indices = [sample.get('sample_idx') for sample in data_samples]
    return labels, None if None in indices else torch.tensor(indices, device=labels.device)
