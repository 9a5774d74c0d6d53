"""The student trained alone: by its run's own config without teachers and transfers, once, and kept as a teacher is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path

from mmengine.config import Config

from mmkd_plugin.datasets import Manifest
from mmkd_plugin.experiments.validation import below_student
from mmkd_plugin.fileio import deployed_learner, find_network, read_result
from mmkd_plugin.registry import HOOKS, find_type

from .once import check_trained, train_once
from .results import result_faults
from .teachers import classified, only_views, teacher_work_dir
from .test import CLASSIFICATION

__all__ = ['find_student', 'student_config', 'teachers_below', 'train_student']


def student_config(cfg: Config) -> Config:
    """Return the config that trains the student of a distillation run alone, in a folder that its fingerprint names.

    What decides is the run's: data, views, network, seed, optimiser and schedule. The label loss has its full weight, and the
    classifier is the student's own. Weights of a checkpoint that the student starts from stay; those of a network trained
    first, which is a student alone, do not, nor does ``load_from``. Where phases set the rate, it falls along one cosine. The
    student of a detector learns its classes.

    Args:
        cfg (Config): Config of the distillation run, before its teachers are prepared.

    Raises:
        ValueError: The config is of no distiller.
    """
    alone = copy.deepcopy(cfg)
    name, learner = deployed_learner(alone.model)
    learners = {each: alone.model.learners[each] for each in (name, *learner.get('reads', ()))}
    for each in learners.values():
        for key in ('ce_weight', 'classifier'):
            each.pop(key, None)
        if str(each.get('init_from') or '').endswith('.py'):
            each.pop('init_from')
    kept = {key: alone.model[key] for key in ('_scope_', 'init_cfg') if key in alone.model}
    if alone.get('param_scheduler') is None and any((alone.model.get('phases') or {}).values()):
        alone.param_scheduler = dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True)
    if alone.test_dataloader.dataset.get('anomalies'):
        alone.val_evaluator = alone.test_evaluator = CLASSIFICATION
        alone.default_hooks.checkpoint.update(save_best='accuracy/top1', rule='greater')
    alone.model = {**kept, 'type': 'Distiller', 'deployed': name, 'learners': learners}
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        alone[loader].dataset = classified(alone[loader].dataset)
    preprocessor = cfg.get('data_preprocessor') or cfg.model.get('data_preprocessor') or {}
    alone.data_preprocessor = only_views(preprocessor, *(each.get('view') for each in learners.values()))
    alone.custom_hooks = [hook for hook in alone.get('custom_hooks') or () if hook and not _needs_teachers(hook)]
    alone.load_from, alone.resume = None, True
    alone.work_dir = str(teacher_work_dir(name, alone, alone.get('teacher_dir', 'work_dirs/teachers')))
    return alone


def _needs_teachers(hook: Mapping) -> bool:
    return getattr(find_type(HOOKS, hook.get('type')), 'needs_teachers', False)


def find_student(cfg: Config) -> Path | None:
    """Return the folder of the student trained alone, or None where it has not been trained; nothing is.

    Args:
        cfg (Config): Config of the distillation run, before its teachers are prepared.
    """
    folder = Path(student_config(cfg).work_dir)
    return folder if (folder / 'result.json').is_file() and not result_faults(folder) else None


def train_student(cfg: Config, train: Callable[..., object], manifest: Manifest) -> Path:
    """Train the student alone unless it is there, and return its folder.

    Args:
        cfg (Config): Config of the distillation run, before its teachers are prepared.
        train (Callable): :func:`mmkd_plugin.apis.train`.
        manifest (Manifest): Windows of the run, from :func:`mmkd_plugin.apis.check_config`.

    Raises:
        ValueError: The folder holds a network of other data, or one that has learned from subjects that are tested.
    """
    alone = student_config(cfg)
    name, learner = deployed_learner(alone.model)
    folder = Path(alone.work_dir)
    train_once(f'{name} (alone)', alone, folder, train, manifest.known())
    check_trained(f"the student '{name}' alone", str(best_of(folder)), cfg, learner.get('view'))
    return folder


def best_of(folder: Path) -> Path:
    """Return the checkpoint of a student's best epoch on validation."""
    return folder / f'{find_network(read_result(folder))["name"]}_best.pth'


def teachers_below(cfg: Config, result: dict) -> list[str]:
    """Name the teachers of a finished run that are below the student alone on validation, where that has been trained.

    Args:
        cfg (Config): Config of the run, as :func:`mmkd_plugin.apis.load_config` has returned it.
        result (dict): What :func:`mmkd_plugin.apis.train` has returned for the config.

    Returns:
        list[str]: One sentence for each such teacher.
    """
    teachers = [row for row in result['networks'] if row['role'] == 'teacher' and 'accuracy' in (row['val'] or {})]
    folder = find_student(cfg) if teachers else None
    own = {} if folder is None else find_network(read_result(folder))['val']
    if 'accuracy' not in own:
        return []
    lacking = any((result['windows'].get('lacking') or {}).get('val', {}).values())
    sentences = [below_student(row['name'], row['val']['accuracy'], own['accuracy'], lacking) for row in teachers]
    return [sentence for sentence in sentences if sentence]
