"""Metrics of a classifier on splits that lack a class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.evaluation import SingleLabelMetric as HostMetric

from mmkd_plugin.registry import METRICS

__all__ = ['SingleLabelMetric']


@METRICS.register_module()
class SingleLabelMetric(HostMetric):
    """The host's metric of this name, with macro averages over the classes that the split has.

    The host counts precision, recall and F1 of a class without a window as 0, so that a network without a fault would reach two
    thirds where one class of three is absent. Everything else is the host's, ``type='mmpretrain.SingleLabelMetric'``.
    """

    @staticmethod
    def calculate(
        pred,
        target,
        thrs: Sequence[float | None] = (0.0,),
        average: str | None = 'macro',
        num_classes: int | None = None,
    ):
        """Return precision, recall, F1 and support, for each threshold where predictions are scores; see the host's."""
        if average != 'macro':
            return HostMetric.calculate(pred, target, thrs, average, num_classes)
        classwise = HostMetric.calculate(pred, target, thrs, None, num_classes)
        return _mean_over_present(classwise) if isinstance(classwise, tuple) else list(map(_mean_over_present, classwise))


def _mean_over_present(classwise: tuple) -> tuple:
    """Average each measure ``(K, )`` over the classes with windows; the support is their sum."""
    *measures, support = (torch.as_tensor(values) for values in classwise)
    return (*(values[support > 0].mean(0) for values in measures), support.sum(0))
