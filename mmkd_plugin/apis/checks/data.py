"""The data of a config: three splits that are there, share nothing, and have the sizes that the config says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmkd_plugin.datasets import SPLITS, Manifest, NormalizeSignal, WindowDataset, audit
from mmkd_plugin.datasets.names import list_names
from mmkd_plugin.engine import random_transforms
from mmkd_plugin.registry import DATASETS, MODELS, find_type
from mmkd_plugin.structures import SIGNAL, unknown_name

from .model import CAUGHT, describe, preprocessor_of

__all__ = ['data_faults', 'foreign_fault']

# What to use in the place of the host's wrappers, through which neither windows nor subjects can be seen.
WRAPPERS = {
    'RepeatDataset': 'train for more epochs: train_cfg.max_epochs',
    'ClassBalancedDataset': 'WindowDataset(oversample=...) repeats the windows of rare classes by the same rule',
    'ConcatDataset': 'one reader gives the recordings of all: a folder of tables, or save_recordings',
    'KFoldDataset': "its folds share subjects; use subjects=dict(type='GroupedKFold', k=5, fold=0) of WindowDataset",
}


def data_faults(cfg: Config, skip: set[str]) -> tuple[list[str], Manifest | None, Any]:
    """Build the data sets and compare them.

    Args:
        cfg (Config): Of a run.
        skip (set[str]): Splits whose config has a fault already.

    Returns:
        tuple[list[str], Manifest | None, Any]: One sentence for each fault; all windows, if every split could be
        built; and the test split, None where it could not be built.
    """
    faults: list[str] = []
    splits: dict[str, WindowDataset] = {}
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader')
        if not loader or not loader.get('dataset'):
            faults.append(f'the config has no {split}_dataloader: training, validation and test subjects are all needed')
        elif foreign := foreign_fault(loader.dataset, f'{split}_dataloader.dataset'):
            faults.append(foreign)
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
    faults += _pipeline_faults(splits)
    if 'train' in splits:
        faults += _size_faults(preprocessor_of(cfg), splits['train'])
        faults += _stored_view_faults(preprocessor_of(cfg), splits['train'])
    return faults, manifest, splits.get('test')


def foreign_fault(settings: Mapping, where: str) -> str | None:
    """Return a sentence if the data set is none of windows, which alone are audited; it says what to use for a wrapper.

    Args:
        settings (Mapping): Config of a data set.
        where (str): Its dotted name in the config.
    """
    kind = find_type(DATASETS, settings.get('type'))
    if kind is None or (isinstance(kind, type) and issubclass(kind, WindowDataset)):  # an unknown name is another fault
        return None
    name = getattr(kind, '__name__', str(kind))
    use = WRAPPERS.get(name, 'expected WindowDataset(reader=dict(...)), whose windows are audited')
    return f'{where}: {name} cannot be used; {use}'


def _pipeline_faults(splits: Mapping[str, WindowDataset]) -> list[str]:
    """See that all splits are normalised alike, at most once, and that nothing random happens to what is measured."""
    faults, normalisers = [], {}
    for split, dataset in splits.items():
        where = f'{split}_dataloader.dataset.pipeline'
        normalisers[split] = [_describe(each) for each in dataset.pipeline.transforms if _normalises(each)]
        if len(normalisers[split]) > 1:
            faults.append(f'{where} normalises {len(normalisers[split])} times: {", ".join(normalisers[split])}; expected once')
        random = random_transforms(dataset)
        if random and split != 'train':
            faults.append(f'{where} has {", ".join(random)}: random augmentation belongs in the training pipeline alone')
    for split in ('val', 'test'):
        if {'train', split} <= normalisers.keys() and normalisers[split] != normalisers['train']:
            own, learned = (', '.join(normalisers[each]) or 'nothing' for each in (split, 'train'))
            where = f'{split}_dataloader.dataset.pipeline'
            faults.append(f'{where} normalises by {own}, that of train_dataloader by {learned}; expected the same')
    return faults


def _stored_view_faults(preprocessor: Mapping, dataset: WindowDataset) -> list[str]:
    """Refuse augmentation beside images that were made before: networks would see two different windows."""
    views = preprocessor.get('views') or {}
    kinds = {name: find_type(MODELS, view.get('type')) for name, view in views.items() if isinstance(view, Mapping)}
    stored = [name for name, kind in kinds.items() if getattr(kind, 'by_window', False)]
    random = random_transforms(dataset)
    if not stored or not random:
        return []
    return [
        f'train_dataloader.dataset.pipeline has {", ".join(random)}, and images of the view {stored[0]} were made of signals '
        'as they were recorded: leave out one of the two'
    ]


def _normalises(transform: object) -> bool:
    return isinstance(transform, NormalizeSignal) or type(transform).__name__.startswith('Normalize')


def _describe(transform: object) -> str:
    settings = ', '.join(f'{name}={value!r}' for name, value in vars(transform).items() if value is not None)
    return f'{type(transform).__name__}({settings})'


def _size_faults(preprocessor: Mapping, dataset) -> list[str]:
    """Compare what the config says of the data with the data."""
    faults, metainfo = [], dataset.metainfo
    classes = len(metainfo['classes'])
    try:
        inputs = dataset[0]['inputs']
    except CAUGHT as error:
        return [f'train_dataloader.dataset.pipeline: {describe(error)}']
    if preprocessor.get('num_classes') != classes:
        faults.append(f'data_preprocessor.num_classes is {preprocessor.get("num_classes")}, the data have {classes}')
    streams = preprocessor.get('streams') or {}
    inputs = inputs if isinstance(inputs, Mapping) else {SIGNAL: inputs}
    faults += [
        f'data_preprocessor.streams: {unknown_name("stream", name, [each for each in inputs if each != SIGNAL])} of the data'
        for name in streams
        if name not in inputs
    ]
    for name, signal in inputs.items():
        key, entry, facts = 'data_preprocessor', preprocessor, metainfo
        if name != SIGNAL:
            if streams.get(name) is None:  # no view can read this one
                continue
            key, entry, facts = f'data_preprocessor.streams.{name}', streams[name], metainfo['streams'][name]
        given, shape = entry.get('shape', ()), tuple(signal.shape)
        if not isinstance(given, (list, tuple)) or tuple(given) != shape:
            faults.append(f'{key}.shape is {given}, the windows have {shape}')
        named, channels = entry.get('channels'), list(facts['channels'])
        if named is not None and list(named) != channels:
            faults.append(f'{key}.channels are {list_names(named, 30)}, the data have {list_names(channels, 30)}')
    return faults
