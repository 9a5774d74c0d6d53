"""Check a config before anything is trained or written."""

from __future__ import annotations

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope

from mmkd_plugin.datasets import Manifest, audit
from mmkd_plugin.fileio import load_checkpoint, resolve_config
from mmkd_plugin.registry import DATASETS, MODELS

__all__ = ['check_config']


def check_config(cfg: Config) -> Manifest:
    """Build what the config names, once, before anything is trained or written.

    Args:
        cfg (Config): Of a run.

    Returns:
        Manifest: All windows of the run, audited.

    Raises:
        FileNotFoundError: A teacher's config or checkpoint, or the checkpoint to resume from, is not there.
        KeyError: An address, a type or a network's name is wrong.
        ValueError: A split is empty or leaks into another, or anything else is wrong.
    """
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    splits = {}
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if not loader:
            raise ValueError(f'the config has no {split}_dataloader: training, validation and test subjects are all needed')
        splits[split] = DATASETS.build(loader.dataset)
    manifest = audit(splits)
    preprocessor = cfg.get('data_preprocessor') or cfg.model.get('data_preprocessor') or {}
    _check_sizes(preprocessor, splits['train'])
    if cfg.optim_wrapper.get('type') == 'AmpOptimWrapper' and get_device() == 'cpu':
        raise ValueError('automatic mixed precision needs an accelerator, and there is none here; leave --amp out')
    MODELS.build({'data_preprocessor': preprocessor, **cfg.model})
    for learner in cfg.model.learners.values():
        if learner is not None and learner.get('init_from'):
            start = str(learner.init_from)
            resolve_config(start) if start.endswith('.py') else load_checkpoint(start)
    for name, teacher in (cfg.model.get('teachers') or {}).items():
        if teacher is not None:
            _check_teacher(name, teacher, splits['test'].metainfo)
    if cfg.get('resume') and cfg.get('load_from'):
        load_checkpoint(cfg.load_from)  # the host would fall back to running code in an unsafe file
    return manifest


def _check_teacher(name: str, teacher: dict, meta: dict) -> None:
    """A teacher has weights or a way to get them, and has not learned from the test subjects."""
    if not teacher.get('checkpoint'):
        if 'config' not in teacher:
            raise ValueError(f"teacher '{name}' has no weights: give checkpoint=, or config= to train it by")
        return
    seen = load_checkpoint(teacher['checkpoint']).get('meta', {}).get('dataset_meta') or {}
    if [seen.get(key) for key in ('classes', 'channels')] == [meta['classes'], meta['channels']]:  # the same data
        known = sorted(set(seen['subjects']['train']) & set(meta['subjects']['test']))
        if known:
            raise ValueError(f"teacher '{name}' has learned from test subject(s) {', '.join(known)}: {teacher['checkpoint']}")


def _check_sizes(preprocessor: dict, dataset) -> None:
    """What the config says of the data must be what the data are."""
    classes, shape = len(dataset.metainfo['classes']), tuple(dataset[0]['inputs'].shape)
    if preprocessor.get('num_classes') != classes:
        raise ValueError(f'data_preprocessor.num_classes is {preprocessor.get("num_classes")}, the data have {classes}')
    if tuple(preprocessor.get('shape', ())) != shape:
        raise ValueError(f'data_preprocessor.shape is {preprocessor.get("shape")}, the windows have {shape}')
