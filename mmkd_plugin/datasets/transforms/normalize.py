"""Normalise a window with statistics of the training subjects."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd_plugin.registry import TRANSFORMS

__all__ = ['NormalizeSignal']


@TRANSFORMS.register_module()
class NormalizeSignal(BaseTransform):
    """Channel by channel, with the statistics that the data set has fitted on its training subjects.

    Args:
        method (str): 'zscore' to mean 0 and standard deviation 1, 'minmax' to [0, 1]. Values of other subjects may lie beyond;
            a channel that is constant in training becomes 0.

    Raises:
        ValueError: The method is unknown.
    """

    def __init__(self, method: str = 'zscore') -> None:
        if method not in ('zscore', 'minmax'):
            raise ValueError(f"method must be 'zscore' or 'minmax', got {method!r}")
        self.method = method

    def transform(self, results: dict) -> dict:
        """``signal`` ``(C, T)``, same out.

        Raises:
            KeyError: The sample carries no statistics.
        """
        if 'statistics' not in results:
            raise KeyError(
                f'NormalizeSignal needs the statistics that WindowDataset gives; the sample has {", ".join(results)}'
            )
        fitted = results['statistics']
        if self.method == 'zscore':
            offset, span = fitted['mean'], fitted['std']
        else:
            offset, span = fitted['min'], fitted['max'] - fitted['min']
        varies = span > 0
        scale = np.where(varies, 1 / np.where(varies, span, 1), 0).astype(np.float32)
        return {**results, 'signal': (results['signal'] - offset[:, None]) * scale[:, None]}
