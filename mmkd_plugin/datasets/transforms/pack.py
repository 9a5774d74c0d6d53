"""Packing of a window for the model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpretrain.structures import DataSample

from mmkd_plugin.registry import TRANSFORMS

__all__ = ['PackWindows']


@TRANSFORMS.register_module()
class PackWindows(BaseTransform):
    """Last transform of a pipeline: ``inputs``, a float32 tensor ``(C, T)``, and ``data_samples``, label and origin.

    Args:
        meta_keys (Sequence[str]): Keys that the data sample keeps beside the label, and ``missing``, the streams that the
            window lacks, where there is one.
    """

    def __init__(
        self, meta_keys: Sequence[str] = ('subject', 'recording', 'start', 'window_id', 'sample_idx', 'anomaly')
    ) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict) -> dict:
        """Turn a sample's dict into ``dict(inputs=, data_samples=)``.

        Raises:
            KeyError: The sample lacks a key.
        """
        missing = [key for key in ('signal', 'gt_label', *self.meta_keys) if key not in results]
        if missing:
            raise KeyError(f'PackWindows misses {", ".join(missing)}; the sample has {", ".join(results)}')
        label = results['gt_label']
        # The host asks an integer first whether it is a typing.Sequence, and is long about it.
        sample = DataSample().set_gt_label(np.array([label]) if isinstance(label, int) else label)
        if results.get('missing'):
            sample.set_field(results['missing'], 'missing', field_type='metainfo')
        for key in self.meta_keys:  # DataSample(metainfo=) would copy every value deeply, which costs more than a small network
            sample.set_field(results[key], key, field_type='metainfo')
        signal = np.ascontiguousarray(results['signal'], dtype=np.float32)
        return dict(inputs=torch.from_numpy(signal), data_samples=sample)
