"""What the transfers of one batch read: networks run when first asked, labels, and the samples' places in the training set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmkd_plugin.structures import Taps

__all__ = ['LazyTaps', 'labels_and_places']


class LazyTaps(Mapping):
    """Taps by network name, each network run when it is first read.

    Args:
        distiller (Distiller): Whose networks.
        inputs (dict[str, Tensor]): Views of the batch.
        index (Tensor, optional): Places of the samples in the training set, ``(N, )``; with it, teachers whose outputs are kept
            are read and not run.
    """

    def __init__(self, distiller, inputs: dict[str, Tensor], index: Tensor | None = None) -> None:
        self.distiller, self.inputs, self.index = distiller, inputs, index
        self.taps: dict[str, Taps] = {}

    def __getitem__(self, name: str) -> Taps:
        if name not in self.taps:
            self.taps[name] = self._run(name)
        return self.taps[name]

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


def labels_and_places(data_samples: list[DataSample]) -> tuple[Tensor, Tensor | None]:
    """Labels of a batch, ``(N, )``, and the samples' places in the training set, ``(N, )``, where they carry them."""
    labels = torch.cat([sample.gt_label for sample in data_samples])
    places = [sample.get('sample_idx') for sample in data_samples]
    return labels, None if None in places else torch.tensor(places, device=labels.device)
