"""Teachers on first use: trained once by their own config, on the run's own data, and kept for every later run."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd_plugin.datasets import Manifest
from mmkd_plugin.deploy import learning_settings, settings_fingerprint
from mmkd_plugin.fileio import (
    deployed_learner,
    file_hash,
    merge_options,
    read_config,
    weights_fingerprint,
)
from mmkd_plugin.registry import DATASETS

from .once import check_trained, train_once
from .overrides import augment, require_streams, set_amp, shorten

__all__ = [
    'classified',
    'find_teachers',
    'name_rates',
    'only_views',
    'prepare_teachers',
    'run_settings',
    'teacher_config',
    'teacher_options',
    'teacher_run_config',
    'teacher_work_dir',
    'trained_starts',
    'trained_teachers',
]

FORMAT = 2  # of what a teacher is trained by and what its folder holds; another number trains every teacher again
PREFIX = 'teachers.'


def prepare_teachers(cfg: Config, train: Callable[..., object], manifest: Manifest) -> dict[str, Path]:
    """See that every teacher has weights: find those that an earlier run has trained, train those that are missing.

    Args:
        cfg (Config): Config of the distillation run; the paths of the checkpoints are written into it. A learner whose
            ``init_from`` is a config gets its start likewise.
        train (Callable): Trains a config, given the teacher's name and windows; :func:`mmkd_plugin.apis.train`.
        manifest (Manifest): Windows of the run, from :func:`mmkd_plugin.apis.check_config`, which has checked the teachers'
            configs too.

    Returns:
        dict[str, Path]: Work directory of every teacher that was trained by its config.

    Raises:
        ValueError: A folder holds a network of other data, or one that has learned from subjects that are tested.
    """
    windows = manifest.known()  # a teacher is a classifier: it sees the run's windows but for the anomalies
    for name, entry in trained_starts(cfg).items():
        learner, start = cfg.model.learners[name], teacher_run_config(cfg, name, entry)
        train_once(f'{name} (start)', start, Path(start.work_dir), train, windows)
        learner.init_from = str(Path(start.work_dir, f'{deployed_learner(start.model)[0]}_best.pth'))
        check_trained(f"the start of learner '{name}'", learner.init_from, cfg, learner.view)
    name_rates(cfg)
    folders = {}
    for name, teacher in trained_teachers(cfg).items():
        teacher_cfg = teacher_run_config(cfg, name, teacher)
        folder = Path(teacher_cfg.work_dir)
        train_once(name, teacher_cfg, folder, train, windows)
        deployed, _ = deployed_learner(teacher_cfg.model)
        teacher.checkpoint = str(_checkpoint_of(teacher_cfg, teacher))
        check_trained(f"teacher '{name}'", teacher.checkpoint, cfg, teacher_cfg.model.learners[deployed].view)
        folders[name] = folder
    return folders


def trained_starts(cfg: Config) -> dict[str, dict[str, str]]:
    """Return config and view of the network that each learner starts from, of those whose ``init_from`` is a config."""
    learners = {name: learner for name, learner in cfg.model.learners.items() if learner is not None}
    return {
        name: dict(config=learner.init_from, view=learner.view)
        for name, learner in learners.items()
        if str(learner.get('init_from') or '').endswith('.py')
    }


def trained_teachers(cfg: Config) -> dict[str, Any]:
    """Return the entries of the teachers that are trained on first use: those with neither weights nor outputs."""
    entries = {name: entry for name, entry in (cfg.model.get('teachers') or {}).items() if entry is not None}
    return {name: entry for name, entry in entries.items() if not (entry.get('checkpoint') or entry.get('outputs'))}


def name_rates(cfg: Config) -> None:
    """Write the rate of the recordings into the entries of teachers whose outputs lie in a file, which may be by time."""
    stored = [entry for entry in (cfg.model.get('teachers') or {}).values() if entry is not None and entry.get('outputs')]
    if stored:
        rate = DATASETS.build(cfg.test_dataloader.dataset).metainfo['rate']
        for entry in stored:
            entry.setdefault('rate', rate)


def find_teachers(cfg: Config) -> dict[str, Path]:
    """Return the checkpoint of every teacher of a config but those whose outputs lie in a file; nothing is trained.

    Args:
        cfg (Config): Config of the distillation run.

    Raises:
        FileNotFoundError: A teacher has not been trained.
    """
    paths = {}
    for name, teacher in (cfg.model.get('teachers') or {}).items():
        if teacher is None or teacher.get('outputs'):
            continue
        if teacher.get('checkpoint'):
            paths[name] = Path(teacher.checkpoint)
            continue
        teacher_cfg = teacher_run_config(cfg, name, teacher)
        paths[name] = _checkpoint_of(teacher_cfg, teacher)
        if not Path(teacher_cfg.work_dir, 'result.json').is_file():
            raise FileNotFoundError(
                f"teacher '{name}' has not been trained: there is no result.json in {teacher_cfg.work_dir}; the options must "
                f'be those of the run, or leave the teacher out by --cfg-options model.teachers.{name}=None'
            )
    return paths


def _checkpoint_of(teacher_cfg: Config, teacher: Mapping) -> Path:
    """Return where a teacher's run leaves the checkpoint that is used."""
    deployed, _ = deployed_learner(teacher_cfg.model)
    return Path(teacher_cfg.work_dir, f'{deployed}_{teacher.get("use", "best")}.pth')


def teacher_options(cfg: Mapping) -> dict[str, Any]:
    """Return the options that go into the teachers' configs: those that begin with ``teachers.``, without it."""
    options = cfg.get('cfg_options') or {}
    return {key.removeprefix(PREFIX): value for key, value in options.items() if key.startswith(PREFIX)}


def teacher_config(cfg: Config, teacher: Mapping, own: Config | None = None) -> Config:
    """Return the config that trains a teacher: its own network and schedule, the run's windows, split and views.

    Were the data taken from the teacher's config, a student tested on a subject could learn from a teacher trained on it.

    Args:
        cfg (Config): Config of the distillation run.
        teacher (Mapping): Its entry in ``model.teachers``.
        own (Config, optional): The teacher's config as its file says, where it has been read.

    Returns:
        Config: Without a work directory.

    Raises:
        ConfigError: The teacher's config cannot be read.
        FileNotFoundError: The teacher's config is not there.
        ValueError: The teacher's config is of no distiller.
    """
    teacher_cfg = read_config(teacher['config']) if own is None else copy.deepcopy(own)
    if cfg.get('quick'):
        shorten(teacher_cfg)
    teacher_cfg.cfg_options = teacher_options(cfg)
    merge_options(teacher_cfg, teacher_cfg.cfg_options)
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if (cfg.get(loader) or {}).get('dataset') and teacher_cfg.get(loader):
            teacher_cfg[loader].dataset = classified(cfg[loader].dataset)
    _, learner = deployed_learner(teacher_cfg.model)
    learner.view = teacher.get('view', learner.view)
    teacher_cfg.data_preprocessor = only_views(cfg.get('data_preprocessor') or {}, learner.view)
    if (cfg.get('optim_wrapper') or {}).get('type') == 'AmpOptimWrapper':
        set_amp(teacher_cfg)
    teacher_cfg.launcher = cfg.get('launcher', 'none')
    teacher_cfg.model_wrapper_cfg = cfg.get('model_wrapper_cfg')
    teacher_cfg.data = cfg.get('data')
    teacher_cfg.allow_seen_subjects = cfg.get('allow_seen_subjects', False)
    teacher_cfg.teacher_dir = cfg.get('teacher_dir', 'work_dirs/teachers')
    augment(teacher_cfg)
    require_streams(teacher_cfg)
    return teacher_cfg


def classified(dataset: Mapping) -> dict[str, Any]:
    """Return the config of a data set without anomalies: a classifier is tested on what it knows."""
    return {key: value for key, value in dataset.items() if key != 'anomalies'}


def only_views(preprocessor: Mapping, *names: str | None) -> dict[str, Any]:
    """Return the config of a preprocessor with these views alone."""
    return {**preprocessor, 'views': {k: v for k, v in (preprocessor.get('views') or {}).items() if k in names}}


def teacher_run_config(cfg: Config, name: str, teacher: Mapping) -> Config:
    """Return the config that trains a teacher in its folder, where it goes on if an earlier run was interrupted.

    Args:
        cfg (Config): Config of the distillation run.
        name (str): Name of the teacher.
        teacher (Mapping): Its entry in ``model.teachers``.

    Returns:
        Config: As :func:`teacher_config`, with ``work_dir`` set to a folder named after the fingerprint of config and data.
    """
    teacher_cfg = teacher_config(cfg, teacher)
    teacher_cfg.work_dir = str(teacher_work_dir(name, teacher_cfg, teacher_cfg.teacher_dir))
    teacher_cfg.resume = True
    return teacher_cfg


def teacher_work_dir(name: str, teacher_cfg: Config, root: str | Path) -> Path:
    """Return ``<root>/<name>-<fingerprint>``: whatever changes what is learned, or what it is learned from, changes the folder.

    Args:
        name (str): Name of the teacher.
        teacher_cfg (Config): From :func:`teacher_config`.
        root (str | Path): Folder of all teachers.
    """
    content = f'{FORMAT} {settings_fingerprint(run_settings(teacher_cfg))}'
    return Path(root, f'{name}-{hashlib.sha256(content.encode()).hexdigest()[:10]}')


def run_settings(cfg: Config) -> dict:
    """Return what decides what a run learns, its data and the weights that it starts from included.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`; no teacher has to be trained yet.

    Returns:
        dict: See :func:`mmkd_plugin.deploy.learning_settings`.
    """
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    weights: dict[str, dict[str, str]] = {'learners': {}, 'teachers': {}}
    starts = trained_starts(cfg)
    for name, learner in cfg.model.learners.items():
        if name in starts:
            weights['learners'][name] = Path(teacher_run_config(cfg, name, starts[name]).work_dir).name
        elif learner is not None and learner.get('init_from'):
            weights['learners'][name] = weights_fingerprint(learner.init_from)
    for name, teacher in (cfg.model.get('teachers') or {}).items():
        if teacher is not None and teacher.get('outputs'):
            weights['teachers'][name] = file_hash(teacher.outputs)
        elif teacher is not None and teacher.get('checkpoint'):
            weights['teachers'][name] = weights_fingerprint(teacher.checkpoint)
        elif teacher is not None:
            weights['teachers'][name] = Path(teacher_run_config(cfg, name, teacher).work_dir).name
    return learning_settings(cfg.to_dict(), dataset.fingerprint() if hasattr(dataset, 'fingerprint') else '', weights)
