"""The data of a config: three splits that are there, share nothing, and have the sizes that the config says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmkd_plugin.datasets import Manifest, audit
from mmkd_plugin.registry import DATASETS

from .model import CAUGHT, describe, preprocessor_of

__all__ = ['data_faults']

SPLITS = ('train', 'val', 'test')


def data_faults(cfg: Config, skip: set[str]) -> tuple[list[str], Manifest | None, Any]:
    """Build the data sets and compare them.

    Args:
        cfg (Config): Of a run.
        skip (set[str]): Splits whose config has a fault already.

    Returns:
        tuple[list[str], Manifest | None, Any]: One sentence for each fault; all windows, if every split could be
        built; and the test split, None where it could not be built.
    """
    faults, splits = [], {}
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader')
        if not loader or not loader.get('dataset'):
            faults.append(f'the config has no {split}_dataloader: training, validation and test subjects are all needed')
        elif split not in skip:
            try:
                splits[split] = DATASETS.build(loader.dataset)
            except CAUGHT as error:
                faults.append(describe(error))
    try:
        manifest = audit(splits) if len(splits) == len(SPLITS) else None
    except ValueError as error:
        faults.append(str(error))
        manifest = None
    for split, dataset in splits.items():
        size = cfg[f'{split}_dataloader'].get('batch_size', 1)
        if cfg[f'{split}_dataloader'].get('drop_last') and isinstance(size, int) and len(dataset) < size:
            faults.append(f'{split}_dataloader: drop_last leaves no batch of {size} in {len(dataset)} windows')
    if 'train' in splits:
        faults += _size_faults(preprocessor_of(cfg), splits['train'])
    return faults, manifest, splits.get('test')


def _size_faults(preprocessor: Mapping, dataset) -> list[str]:
    """Compare what the config says of the data with the data."""
    faults, classes = [], len(dataset.metainfo['classes'])
    try:
        shape = tuple(dataset[0]['inputs'].shape)
    except CAUGHT as error:
        return [f'train_dataloader.dataset.pipeline: {describe(error)}']
    if preprocessor.get('num_classes') != classes:
        faults.append(f'data_preprocessor.num_classes is {preprocessor.get("num_classes")}, the data have {classes}')
    given = preprocessor.get('shape', ())
    if not isinstance(given, (list, tuple)) or tuple(given) != shape:
        faults.append(f'data_preprocessor.shape is {given}, the windows have {shape}')
    return faults
