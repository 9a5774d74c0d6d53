"""Responses of a checkpoint to the windows of a config's data."""

from __future__ import annotations

import copy
import logging
from pathlib import Path

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmkd_plugin.deploy import check_checkpoint
from mmkd_plugin.engine import Predictions, batches_in_order, predict_windows, use_whole_float32
from mmkd_plugin.fileio import deployed_learner, load_checkpoint
from mmkd_plugin.models.distillers import Distiller, load_network
from mmkd_plugin.registry import MODELS

from .teachers import find_teachers

__all__ = ['build_loader', 'find_networks', 'load_deployed', 'metainfo_of', 'predict']


def predict(cfg: Config, checkpoint: str | Path, teacher: str | None = None, split: str = 'test') -> Predictions:
    """Return the responses of the deployed learner, or of one teacher, to all windows of a split.

    Args:
        cfg (Config): Config of the run.
        checkpoint (str | Path): Of a run, or of an exported network.
        teacher (str, optional): Name of the teacher to run instead of the deployed learner.
        split (str): 'train', 'val' or 'test'.

    Returns:
        Predictions: Logits, labels and window ids, in the order of the data set.

    Raises:
        FileNotFoundError: The checkpoint does not exist.
        ValueError: The checkpoint does not fit the network.
    """
    loader = build_loader(cfg, split)
    return predict_windows(load_deployed(cfg, checkpoint, loader, teacher, split), batches_in_order(loader))


def load_deployed(
    cfg: Config, checkpoint: str | Path, loader: DataLoader, teacher: str | None = None, split: str = 'test'
) -> Distiller:
    """Build the deployed learner, or one teacher, alone, and load its weights.

    No other network is built, and no view but its own is made.

    Args:
        cfg (Config): Config of the run.
        checkpoint (str | Path): Of a run, or of an exported network.
        loader (DataLoader): Of the windows that the network is to read.
        teacher (str, optional): Name of the teacher to load instead of the deployed learner.
        split (str): Of the loader: the network may have learned from the subjects of 'train'.

    Returns:
        Distiller: With this one network.

    Raises:
        FileNotFoundError: The checkpoint does not exist.
        ValueError: The checkpoint does not fit the network or the data, or has learned from the subjects of the split.
    """
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    name, entry = deployed_learner(cfg.model) if teacher is None else (teacher, cfg.model.teachers[teacher])
    if entry.get('outputs'):
        raise ValueError(f"teacher '{name}' is no network: its outputs lie in {entry['outputs']}")
    network = dict(view=entry['view'], network=entry['network'])
    preprocessor = cfg.get('data_preprocessor') or cfg.model.get('data_preprocessor')
    model = MODELS.build(
        copy.deepcopy(dict(type='Distiller', deployed=name, learners={name: network}, data_preprocessor=preprocessor))
    )
    unseen = None if split == 'train' else split
    meta = load_checkpoint(checkpoint).get('meta')
    check_checkpoint(f'checkpoint {checkpoint}', meta, cfg, loader.dataset, entry.get('view'), unseen)
    load_network(model.learners[name], checkpoint, name if teacher is None else None)
    use_whole_float32()
    return model.to(get_device())


def find_networks(cfg: Config, checkpoint: str | Path) -> list[tuple[str | None, str | Path]]:
    """Return the checkpoints of a run's networks to load: first the deployed learner, as None, then the teachers by name.

    Args:
        cfg (Config): Config of the run.
        checkpoint (str | Path): Of the deployed learner.

    Raises:
        FileNotFoundError: A teacher has not been trained.
    """
    teachers = find_teachers(cfg)
    for name, entry in (cfg.model.get('teachers') or {}).items():
        if entry is not None and name not in teachers:
            print_log(f"teacher '{name}' is left out: its outputs lie in {entry.outputs}", 'current', logging.WARNING)
    return [(None, checkpoint), *teachers.items()]


def build_loader(cfg: Config, split: str) -> DataLoader:
    """Build the loader of a split, whose data set is then read in order."""
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    # Without a seed, the sampler would ask all processes for a common one, and wait for those that build no loader.
    return Runner.build_dataloader(copy.deepcopy(cfg[f'{split}_dataloader']), seed=0)


def metainfo_of(loader: DataLoader) -> dict:
    """Return what a loader's data set tells of all its windows: classes, channels, subjects."""
    dataset: BaseDataset = loader.dataset  # the host's kind: torch's has no metainfo
    return dataset.metainfo
