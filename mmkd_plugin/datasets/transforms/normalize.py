"""Normalisation of a window with statistics of the training subjects, or with fixed ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from mmkd_plugin.registry import TRANSFORMS

__all__ = ['NormalizeSignal']


@TRANSFORMS.register_module()
class NormalizeSignal(BaseTransform):
    """Normalisation of each channel by the statistics of the training subjects, or by given ranges.

    Args:
        method (str): 'zscore' to mean 0 and standard deviation 1, 'minmax' to [0, 1]. Values of other subjects may lie beyond;
            a channel that is constant in training becomes 0. 'window_zscore' takes the mean over the training windows of the
            standard deviation within each, as published code of this field does (github.com/jeunsom/TDA_KD); it is less than
            that of all samples, by as much as windows differ in their means.
        low (Sequence[float], optional): For 'minmax', the values that become 0, one for each of the C channels, in the units
            of the data. No statistics are needed then.
        high (Sequence[float], optional): The values that become 1, together with ``low``. Others may lie beyond [0, 1].

    Raises:
        ValueError: The method is unknown, or low and high do not make one range for each channel.
    """

    per_channel = ('low', 'high')  # arguments with a number for each channel

    def __init__(self, method: str = 'zscore', low: Sequence[float] | None = None, high: Sequence[float] | None = None) -> None:
        if method not in ('zscore', 'minmax', 'window_zscore'):
            raise ValueError(f"method must be 'zscore', 'minmax' or 'window_zscore', got {method!r}")
        if (low is None) != (high is None) or (low is not None and method != 'minmax'):
            raise ValueError(
                f"low and high are given together, and for method='minmax'; got low={low}, high={high} and method={method!r}"
            )
        self.method = method
        self.fixed: dict[str, NDArray] | None = None
        self._scaling: tuple[dict[str, NDArray], NDArray, NDArray] | None = None
        if low is not None:
            least, most = (np.asarray(limit, dtype=np.float32) for limit in (low, high))
            if least.ndim != 1 or least.shape != most.shape or not (least < most).all():
                raise ValueError(
                    'low and high must be lists of one number for each channel, low below high; '
                    f'got low={least.tolist()} and high={most.tolist()}'
                )
            self.fixed = dict(min=least, max=most)

    def transform(self, results: dict) -> dict:
        """Normalise ``signal`` ``(C, T)``.

        Raises:
            KeyError: The sample has no statistics.
            ValueError: The ranges are of another number of channels.
        """
        if self.fixed is None and 'statistics' not in results:
            raise KeyError(
                f'NormalizeSignal needs the statistics that WindowDataset gives; the sample has {", ".join(results)}'
            )
        signal, known = results['signal'], self.fixed or results['statistics']
        if self.fixed is not None and len(known['min']) != len(signal):
            raise ValueError(f'NormalizeSignal has low and high for {len(known["min"])} channels; the sample has {len(signal)}')
        if self._scaling is None or self._scaling[0] is not known:  # one data set gives all its windows the same statistics
            self._scaling = (known, *self.scaling(known))
        _, offset, scale = self._scaling
        return {**results, 'signal': (signal - offset) * scale}

    def scaling(self, statistics: Mapping[str, NDArray]) -> tuple[NDArray, NDArray]:
        """Return what is subtracted from the channels and what they are multiplied by then, both ``(C, 1)`` float32.

        Args:
            statistics (Mapping[str, ndarray]): ``mean``, ``std``, ``min`` and ``max`` of the C channels, float32; of no account
                where ``low`` and ``high`` were given.
        """
        known = self.fixed or statistics
        if self.method == 'zscore':
            offset, span = known['mean'], known['std']
        elif self.method == 'window_zscore':
            offset, span = known['window_mean'], known['window_std']
        else:
            offset, span = known['min'], known['max'] - known['min']
        varies = span > 0
        scale = np.where(varies, 1 / np.where(varies, span, 1), 0).astype(np.float32)
        return offset[:, None], scale[:, None]
