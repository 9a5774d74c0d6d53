"""Teachers on first use: trained once by their own config, on the run's own data, and kept for every later run."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from mmengine.config import Config
from mmengine.dist import barrier, broadcast_object_list, is_main_process
from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from mmkd_plugin.datasets import Manifest
from mmkd_plugin.fileio import deployed_learner, merge_options, read_config
from mmkd_plugin.registry import DATASETS

from .overrides import set_amp, shorten
from .results import result_faults

__all__ = [
    'hashed_settings',
    'prepare_teachers',
    'teacher_config',
    'teacher_options',
    'teacher_run_config',
    'teacher_work_dir',
]

FORMAT = 1  # of what a teacher is trained by and what its folder holds; another number trains every teacher again
PREFIX = 'teachers.'
# Where a run writes and reads, how it logs and how fast it loads does not change what it learns.
NOT_HASHED = (
    'work_dir',
    'launcher',
    'resume',
    'load_from',
    'cfg_options',
    'data',
    'teacher_dir',
    'log_level',
    'visualizer',
    'vis_backends',
)
NOT_HASHED_LOADER = ('num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor')
NOT_HASHED_DATASET = ('store', 'engine', 'workers')


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
    """
    # A teacher is a classifier: it sees the run's windows but for the anomalies.
    windows = Manifest({name: column[manifest.columns['label'] >= 0] for name, column in manifest.columns.items()})
    for name, learner in cfg.model.learners.items():
        if learner is not None and str(learner.get('init_from') or '').endswith('.py'):
            start = teacher_run_config(cfg, name, dict(config=learner.init_from, view=learner.view))
            _train_once(f'{name} (start)', start, Path(start.work_dir), train, windows)
            learner.init_from = str(Path(start.work_dir, f'{deployed_learner(start.model)[0]}_best.pth'))
    folders = {}
    for name, teacher in (cfg.model.get('teachers') or {}).items():
        if teacher is None or teacher.get('checkpoint'):
            continue
        teacher_cfg = teacher_run_config(cfg, name, teacher)
        folder = Path(teacher_cfg.work_dir)
        _train_once(name, teacher_cfg, folder, train, windows)
        teacher.checkpoint = str(folder / f'{deployed_learner(teacher_cfg.model)[0]}_{teacher.get("use", "best")}.pth')
        folders[name] = folder
    return folders


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
            teacher_cfg[loader].dataset = {**cfg[loader].dataset}
            teacher_cfg[loader].dataset.pop('anomalies', None)  # a teacher is a classifier, tested on what it knows
    _, learner = deployed_learner(teacher_cfg.model)
    learner.view = teacher.get('view', learner.view)
    preprocessor = cfg.get('data_preprocessor') or {}
    views = preprocessor.get('views') or {}
    teacher_cfg.data_preprocessor = {**preprocessor, 'views': {k: v for k, v in views.items() if k == learner.view}}
    if (cfg.get('optim_wrapper') or {}).get('type') == 'AmpOptimWrapper':
        set_amp(teacher_cfg)
    teacher_cfg.launcher = cfg.get('launcher', 'none')
    teacher_cfg.model_wrapper_cfg = cfg.get('model_wrapper_cfg')
    teacher_cfg.data = cfg.get('data')
    teacher_cfg.teacher_dir = cfg.get('teacher_dir', 'work_dirs/teachers')
    return teacher_cfg


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
    settings = hashed_settings(teacher_cfg)
    init_default_scope(teacher_cfg.get('default_scope', 'mmkd_plugin'))
    data = DATASETS.build(teacher_cfg.train_dataloader.dataset).fingerprint()
    content = json.dumps({'format': FORMAT, 'config': settings, 'data': data}, sort_keys=True, default=str)
    return Path(root, f'{name}-{hashlib.sha256(content.encode()).hexdigest()[:10]}')


def hashed_settings(cfg: Config) -> dict:
    """Return the settings of a config that change what is learned."""
    settings = {key: value for key, value in cfg.to_dict().items() if key not in NOT_HASHED}
    for split in ('train', 'val', 'test'):
        settings[f'{split}_dataloader'] = _hashed_loader(settings[f'{split}_dataloader'])
    return settings


def _hashed_loader(loader: dict) -> dict:
    """Leave out where data lie and how they are read: the fingerprint of the data says what was read."""
    dataset = {key: value for key, value in loader['dataset'].items() if key not in NOT_HASHED_DATASET}
    if isinstance(dataset.get('reader'), dict):
        dataset['reader'] = {key: value for key, value in dataset['reader'].items() if key != 'root'}
    kept = {key: value for key, value in loader.items() if key not in NOT_HASHED_LOADER}
    return {**kept, 'dataset': dataset}


def _train_once(name: str, teacher_cfg: Config, folder: Path, train: Callable[..., object], windows: Manifest) -> None:
    """Train unless it is done; the main process holds a lock meanwhile, so that of two runs one trains and the other waits."""
    lock = FileLock(f'{folder}.lock')
    if is_main_process():
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print_log(f"teacher '{name}' is being trained by another run; waiting for {folder}", logger='current')
            lock.acquire()
    try:
        done = [is_main_process() and _is_finished(name, folder)]
        broadcast_object_list(done)  # every process must take the same way
        if done[0]:
            print_log(f"teacher '{name}': reusing {folder}", logger='current')
        else:
            print_log(f"teacher '{name}': training {teacher_cfg.filename} into {folder}", logger='current')
            train(teacher_cfg, name, windows)
        barrier()
    finally:
        if is_main_process():
            lock.release()


def _is_finished(name: str, folder: Path) -> bool:
    """Return whether a teacher's folder holds all that a finished run leaves; what is damaged there is said."""
    if not (folder / 'result.json').is_file():
        return False
    faults = result_faults(folder)
    for fault in faults:
        print_log(
            f"teacher '{name}': {fault}; the training is made again from its newest checkpoint", 'current', logging.WARNING
        )
    return not faults
