"""Memory banks of the training samples."""

from __future__ import annotations

import torch
from mmengine.hooks import Hook
from torch import Tensor

from mmkd_plugin.registry import HOOKS

from .protocol import distiller_of

__all__ = ['MemoryBankHook', 'training_labels']


@HOOKS.register_module()
class MemoryBankHook(Hook):
    """Give the labels of the training samples to transfers that keep a memory bank.

    The banks are allocated before a checkpoint could be loaded into them.
    """

    def before_run(self, runner) -> None:
        """Allocate the banks of a run that trains."""
        model = distiller_of(runner)
        if model is not None and runner._train_loop is not None:
            dataset = runner.train_dataloader.dataset
            model.remember(lambda: training_labels(dataset))


def training_labels(dataset) -> Tensor:
    """Return the labels of a data set of the host in the order of its samples, ``(n, )``."""
    known = getattr(dataset.data_list, 'label', None) if hasattr(dataset, 'data_list') else None
    if known is not None:
        return torch.from_numpy(known)
    return torch.tensor([int(dataset.get_data_info(index)['gt_label']) for index in range(len(dataset))])
