"""The course of a run: its length, the metric that keeps the best epoch, the folders that it writes to."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.device import get_device
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement
from mmpretrain.structures import DataSample

from mmkd_plugin.fileio import plain_metrics
from mmkd_plugin.models.distillers import AnomalyDetector
from mmkd_plugin.registry import DATA_SAMPLERS, EVALUATORS, MODELS, find_type
from mmkd_plugin.structures import suggest

from .components import listed
from .model import CAUGHT, describe, preprocessor_of

__all__ = ['course_faults', 'folder_faults', 'metric_faults', 'validation_metrics']

WRITTEN = ('result.json', 'predictions.npz', 'windows.npz', 'last_checkpoint')  # beside checkpoints, in a work_dir
# Package of each writer of the host.
BACKENDS = {
    'WandbVisBackend': 'wandb',
    'MLflowVisBackend': 'mlflow',
    'ClearMLVisBackend': 'clearml',
    'NeptuneVisBackend': 'neptune',
    'DVCLiveVisBackend': 'dvclive',
    'AimVisBackend': 'aim',
}


def course_faults(cfg: Mapping) -> list[str]:
    """Check the run's length and what has to happen within it, and the device that it needs."""
    faults = []
    train, hooks = cfg.get('train_cfg'), cfg.get('default_hooks') or {}
    for key in ('model', 'optim_wrapper', 'train_cfg', 'val_cfg', 'test_cfg', 'val_evaluator', 'test_evaluator'):
        if cfg.get(key) is None:
            faults.append(f'the config has no {key}')
    if isinstance(train, Mapping):
        key = 'max_epochs' if 'max_epochs' in train else 'max_iters'
        length = train.get(key)
        if not _is_count(length):
            faults.append(f'train_cfg.{key} must be a whole number of at least 1, got {length!r}')
        for name in ('val_interval', 'val_begin'):
            value = train.get(name, 1)
            if not _is_count(value):
                faults.append(f'train_cfg.{name} must be a whole number of at least 1, got {value!r}')
            elif _is_count(length) and value > length:
                faults.append(f'train_cfg.{name} is {value}, beyond the run: train_cfg.{key} is {length}')
    wrapper = cfg.get('optim_wrapper')
    if isinstance(wrapper, Mapping):
        if wrapper.get('type') == 'AmpOptimWrapper' and get_device() == 'cpu':
            faults.append('automatic mixed precision needs an accelerator, and there is none here; leave --amp out')
        if wrapper.get('optimizer') is None and 'constructor' not in wrapper:
            faults.append("optim_wrapper needs an optimizer, for example dict(type='SGD', lr=0.05)")
        else:
            lr = (wrapper.get('optimizer') or {}).get('lr')
            if lr is not None and not (isinstance(lr, (int, float)) and 0 <= lr < math.inf):
                faults.append(f'optim_wrapper.optimizer.lr must be a finite number of at least 0, got {lr!r}')
    faults += [*_loader_faults(cfg), *_checkpoint_faults(cfg), *_backend_faults(cfg)]
    if cfg.get('param_scheduler') and 'param_scheduler' in hooks and hooks['param_scheduler'] is None:
        faults.append('param_scheduler is given, and default_hooks.param_scheduler=None: no rate would ever change')
    return faults


def _backend_faults(cfg: Mapping) -> list[str]:
    """Find writers of the log whose package is not installed, which the host finds when the teachers are trained."""
    backends = (cfg.get('visualizer') or {}).get('vis_backends') or ()
    faults = []
    for where, backend in listed(backends, 'visualizer.vis_backends'):
        kind = str(backend.get('type')).rpartition('.')[2] if isinstance(backend, Mapping) else ''
        package = BACKENDS.get(kind)
        if package and find_spec(package) is None:
            faults.append(f'{where}: {kind} needs {package}, which is not installed. Run: pip install {package}')
    return faults


def _checkpoint_faults(cfg: Mapping) -> list[str]:
    """See that the run will find its best epoch among its checkpoints."""
    faults: list[str] = []
    where = 'default_hooks.checkpoint'
    hook = (cfg.get('default_hooks') or {}).get('checkpoint')
    if not isinstance(hook, Mapping):
        return faults
    best = hook.get('save_best')
    if isinstance(best, (list, tuple)) and len(best) > 1:
        faults.append(f'{where}.save_best must name one metric, by which the best epoch is kept, got {list(best)}')
    if hook.get('out_dir') is not None:
        faults.append(f'{where}.out_dir must be left out, because checkpoints lie in work_dir, got {hook["out_dir"]!r}')
    backend = (hook.get('backend_args') or {}).get('backend', 'local')
    if backend not in ('atomic', 'local'):
        faults.append(f"{where}.backend_args.backend must be 'atomic' or 'local', got {backend!r}")
    name = hook.get('filename_tmpl')
    if name is not None and not re.fullmatch(r'(?!best_)[^/{}*?[]*{}[^/{}*?[]*', str(name)):
        faults.append(f"{where}.filename_tmpl must be a name with {{}} once, such as 'epoch_{{}}.pth', got {name!r}")
    if hook.get('published_keys') is not None:
        faults.append(f'{where}.published_keys must be left out: student_best.pth and student_last.pth are what is published')
    return faults


def _loader_faults(cfg: Mapping) -> list[str]:
    faults = []
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if not isinstance(loader, Mapping):
            continue
        if loader.get('sampler') is None:
            faults.append(f"{split}_dataloader needs a sampler, for example dict(type='DefaultSampler', shuffle=False)")
        name = (loader.get('sampler') or {}).get('type')
        kind = find_type(DATA_SAMPLERS, name)
        endless = isinstance(kind, type) and issubclass(kind, InfiniteSampler)
        if endless and (split != 'train' or 'max_epochs' in (cfg.get('train_cfg') or {})):
            faults.append(f'{split}_dataloader.sampler: {name} has no end, and an epoch needs one; use DefaultSampler')
        if split != 'train' and loader.get('num_batch_per_epoch') is not None:
            faults.append(f'{split}_dataloader.num_batch_per_epoch must be left out: all windows are measured')
        if 'collate_fn' in loader and loader['collate_fn'] is None:
            faults.append(f"{split}_dataloader.collate_fn must be a dict, for example dict(type='default_collate')")
        for key, least in (('batch_size', 1), ('num_workers', 0)):
            value = loader.get(key, 1)
            if not (_is_count(value) or (value == least and not isinstance(value, bool))):
                faults.append(f'{split}_dataloader.{key} must be a whole number of at least {least}, got {value!r}')
    return faults


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def metric_faults(cfg: Config) -> list[str]:
    """See that the evaluators work, and that the metric that keeps the best epoch is among theirs.

    They are asked with made-up predictions: what a metric is called, no config says.
    """
    faults: list[str] = []
    known: dict[str, set[str]] = {}
    classes = preprocessor_of(cfg).get('num_classes', 0)
    kind = find_type(MODELS, cfg.model.get('type', ''))
    detects = isinstance(kind, type) and issubclass(kind, AnomalyDetector)
    for split in ('val', 'test'):
        try:
            known[split] = set(_evaluate(cfg[f'{split}_evaluator'], classes if _is_count(classes) else 2, detects))
        except (KeyError, AttributeError):  # a metric of something else than these predictions hold
            continue
        except CAUGHT as error:
            faults.append(f'{split}_evaluator: {describe(error)}')
    names = sorted(known.get('val', ()))
    hook = (cfg.get('default_hooks') or {}).get('checkpoint')
    if not hook or not hook.get('save_best'):
        example = f', for example {names[0]!r}' if names else ''
        return [*faults, f'default_hooks.checkpoint needs save_best, the metric that the best epoch is kept by{example}']
    wanted = hook['save_best'] if isinstance(hook['save_best'], (list, tuple)) else [hook['save_best']]
    for name in wanted:
        if names and name != 'auto' and name not in names:
            metrics = f'{suggest(name, names)} its metrics are {", ".join(names)}'.strip()
            faults.append(f"default_hooks.checkpoint.save_best: val_evaluator gives no '{name}'; {metrics}")
    return faults + _monitor_faults(cfg, names)


def validation_metrics(cfg: Config) -> list[str]:
    """Return the names of the metrics on validation, by which tables show them; empty where they cannot be told."""
    try:
        return list(plain_metrics(_evaluate(cfg.val_evaluator, preprocessor_of(cfg).get('num_classes', 2), False)))
    except CAUGHT:
        return []


def _monitor_faults(cfg: Mapping, names: Sequence[str]) -> list[str]:
    """See that hooks and schedules watch a metric that there is; the host warns, and never stops or steps."""
    watching = [*listed(cfg.get('custom_hooks'), 'custom_hooks'), *listed(cfg.get('param_scheduler'), 'param_scheduler')]
    faults = []
    for where, entry in watching:
        name = entry.get('monitor') if isinstance(entry, Mapping) else None
        if names and name is not None and name not in names:
            metrics = f'{suggest(str(name), names)} its metrics are {", ".join(names)}'.strip()
            faults.append(f"{where}.monitor: val_evaluator gives no '{name}'; {metrics}")
    return faults


def _evaluate(evaluator: Any, classes: int, detects: bool) -> dict[str, float]:
    """Return the metrics of one normal window of each class, predicted at random; of a detector, also its own metrics."""
    cfg = evaluator.to_dict() if hasattr(evaluator, 'to_dict') else [dict(entry) for entry in evaluator]
    built = EVALUATORS.build({'type': 'Evaluator', **cfg}) if isinstance(cfg, dict) and 'metrics' in cfg else Evaluator(cfg)
    samples: list[BaseDataElement] = []
    for label, scores in enumerate(torch.rand(classes, classes, generator=torch.Generator().manual_seed(0))):
        sample = DataSample().set_gt_label(label).set_pred_score(scores).set_pred_label(int(scores.argmax()))
        for name, value in (('anomaly_score', 0.0), ('pred_anomaly', False), ('anomaly', 0)) if detects else ():
            sample.set_field(torch.tensor(value), name)
        samples.append(sample)
    built.process(samples)
    return built.evaluate(len(samples))


def folder_faults(cfg: Mapping) -> list[str]:
    """See that the run's folders are there or can be made, and can be written to."""
    model = cfg.get('model') or {}
    trained = [*(model.get('teachers') or {}).values(), *(model.get('learners') or {}).values()]
    faults = [_folder_fault('work_dir', cfg.get('work_dir'))]
    if any(entry and (entry.get('config') or entry.get('init_from')) for entry in trained):
        faults.append(_folder_fault('teacher_dir', cfg.get('teacher_dir', 'work_dirs/teachers')))
    return [*filter(None, faults), *_occupied(cfg.get('work_dir'))]


def _occupied(folder: Any) -> list[str]:
    """Name folders that stand where the run would write a file, which it would see at its end only."""
    if not isinstance(folder, (str, Path)) or not Path(folder).is_dir():
        return []
    taken = sorted(path for path in Path(folder).iterdir() if path.is_dir() and (path.name in WRITTEN or path.suffix == '.pth'))
    return [f'work_dir {folder}: {path.name} is a folder there, and the run writes a file of that name' for path in taken]


def _folder_fault(name: str, folder: Any) -> str | None:
    if not isinstance(folder, (str, Path)) or not str(folder):
        return f'{name} must be a folder, got {folder!r}'
    path = Path(folder).absolute()
    for ancestor in (path, *path.parents):
        if ancestor.exists():
            if not ancestor.is_dir():
                return f'{name} {folder} cannot be a folder: {ancestor} is a file'
            # Trained teachers may lie in a folder that is only read.
            return (
                None
                if os.access(ancestor, os.W_OK | os.X_OK) or (name == 'teacher_dir' and ancestor == path)
                else f'{name} {folder} cannot be written: no permission in {ancestor}'
            )
    return None
