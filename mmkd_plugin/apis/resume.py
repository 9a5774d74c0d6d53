"""Resumption of a run: only by settings that would have led to its checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmkd_plugin.deploy import check_checkpoint, first_difference
from mmkd_plugin.engine import planned_files
from mmkd_plugin.fileio import check_resumable, deployed_learner, load_checkpoint, newest_checkpoint
from mmkd_plugin.registry import DATASETS, HOOKS, find_type

__all__ = ['check_resume']

LENGTH = ('train_cfg.max_epochs', 'train_cfg.max_iters')


def check_resume(cfg: Config, settings: Mapping) -> None:
    """See that a run goes on from a checkpoint of its own, before anything is trained.

    Args:
        cfg (Config): Of a run with ``resume=True``.
        settings (Mapping): From :func:`mmkd_plugin.apis.teachers.run_settings`.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The checkpoint is no run's, is of a run on other data, or of one with other settings; the message names the
            first one that differs.
    """
    path = cfg.get('load_from') or newest_checkpoint(
        cfg.work_dir, *planned_files(cfg.work_dir, (cfg.get('default_hooks') or {}).get('checkpoint') or {}), lambda note: None
    )
    if path is None:
        return
    checkpoint = load_checkpoint(path)
    check_resumable(checkpoint, path)
    if cfg.get('param_scheduler') and 'param_schedulers' not in checkpoint:
        raise ValueError(f'no run can go on from {path}: it has no param_schedulers, by which the rate goes on')
    _, learner = deployed_learner(cfg.model)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    check_checkpoint(f'{path}, which the run is to go on from,', checkpoint['meta'], cfg, dataset, learner.get('view'))
    known = checkpoint['meta'].get('settings')
    if not isinstance(known, Mapping):
        print_log(f'{path} does not say which settings it is of: they are not compared', 'current', logging.WARNING)
        return
    difference = first_difference(_without_own_hooks(known), _without_own_hooks(settings))
    if difference:
        raise ValueError(_other_run(path, *difference))
    difference = first_difference(known, settings)
    if difference:
        print_log(_other_hook(path, *difference), 'current', logging.WARNING)


def _without_own_hooks(settings: Mapping) -> dict:
    """Leave out the hooks of a user's own, which may be there to log or to stop: nobody else knows what they do."""
    packages = ('mmengine', 'mmpretrain', 'mmkd_plugin')
    kept = dict(settings)
    for key in ('default_hooks', 'custom_hooks'):
        hooks = {name: find_type(HOOKS, name) for name in settings.get(key) or {}}
        known = [name for name, hook in hooks.items() if getattr(hook, '__module__', '').partition('.')[0] in packages]
        kept[key] = {name: settings[key][name] for name in known}
    return kept


def _other_hook(path: str | Path, key: str, old: Any, new: Any) -> str:
    return f'{path} was written with {key} {_spell(old)}, which is {_spell(new)} now; a hook of your own does not stop the run'


def _other_run(path: str | Path, key: str, old: Any, new: Any) -> str:
    """Say which setting of a run differs, and what can be done."""
    message = f'{path} is a checkpoint of another run: {key} was {_spell(old)} there and is {_spell(new)} now; '
    if key in LENGTH:
        return message + (
            'rates and weights follow the share of the run that is done, so no run can be made longer or shorter: '
            f'train anew in another --work-dir, from these weights with --cfg-options load_from={path}'
        )
    return message + 'go on with what it was, or train anew in another --work-dir'


def _spell(value: Any) -> str:
    return 'not given' if value is None else repr(value)
