"""What a run's networks start from: files that can be read, and that have learned from such data as the run has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmkd_plugin.deploy import check_checkpoint
from mmkd_plugin.fileio import deployed_learner, load_checkpoint, resolve_config

from .model import CAUGHT, describe

__all__ = ['checkpoint_faults', 'load_from_faults']


def checkpoint_faults(cfg: Config, dataset: Any) -> dict[str, str]:
    """Check what networks start from: a checkpoint that fits the data, or a config to train them by.

    Args:
        cfg (Config): Of a run.
        dataset (Any): A split of its data, None where it cannot be built.

    Returns:
        dict[str, str]: One sentence for each network with a fault.
    """
    faults = {}
    for name, learner in (cfg.model.get('learners') or {}).items():
        start = str((learner or {}).get('init_from') or '')
        origin = f"learner '{name}', init_from={start},"
        try:
            if start.endswith('.py'):
                resolve_config(start)
            elif start:
                check_checkpoint(origin, load_checkpoint(start).get('meta'), cfg, dataset, learner.get('view'))
        except CAUGHT as error:
            faults[name] = (
                describe(error) if str(error).startswith(origin) else f"learner '{name}', init_from: {describe(error)}"
            )
    for name, teacher in (cfg.model.get('teachers') or {}).items():
        try:
            if teacher is not None:
                _check_teacher(name, teacher, cfg, dataset)
        except CAUGHT as error:
            faults[name] = describe(error)
    return faults


def _check_teacher(name: str, teacher: Mapping, cfg: Config, dataset: Any) -> None:
    """See that a teacher has weights that fit the data, or a way to get them."""
    path = teacher.get('checkpoint')
    if path:
        meta = load_checkpoint(path).get('meta')
        check_checkpoint(f"teacher '{name}' ({path})", meta, cfg, dataset, teacher.get('view'))
    elif not (teacher.get('config') or teacher.get('outputs')):
        raise ValueError(f"teacher '{name}' has no weights: give checkpoint=, config= to train it by, or outputs=")


def load_from_faults(cfg: Config, dataset: Any) -> list[str]:
    """Check the checkpoint that a run loads; one that a run goes on from is looked at when its settings are known.

    Args:
        cfg (Config): Of a run.
        dataset (Any): A split of its data, None where it cannot be built.

    Returns:
        list[str]: A sentence if the file cannot be read or does not fit the data.
    """
    path = cfg.get('load_from')
    if not path:
        return []
    try:
        meta = load_checkpoint(path).get('meta')
        if not cfg.get('resume'):
            _, learner = deployed_learner(cfg.model)
            check_checkpoint(f'load_from={path}', meta, cfg, dataset, learner.get('view'))
    except CAUGHT as error:
        return [describe(error)]
    return []
