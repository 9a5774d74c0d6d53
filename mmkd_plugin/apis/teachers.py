"""Teachers on first use: trained once by their own config, on the run's own data, and kept for every later run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from filelock import FileLock, Timeout
from mmengine.config import Config
from mmengine.dist import barrier, broadcast_object_list, is_main_process
from mmengine.logging import print_log

import mmkd_plugin
from mmkd_plugin.fileio import deployed_learner, resolve_config
from mmkd_plugin.registry import DATASETS

from .config import set_amp

__all__ = ['prepare_teachers', 'teacher_run_config', 'teacher_work_dir']

# Where a run writes and how it logs does not change what it learns.
NOT_HASHED = (
    'work_dir',
    'launcher',
    'resume',
    'load_from',
    'cfg_options',
    'teacher_dir',
    'log_level',
    'visualizer',
    'vis_backends',
)


def prepare_teachers(cfg: Config, train) -> dict[str, Path]:
    """See that every teacher has weights: find what an earlier run has trained, train what is missing.

    Args:
        cfg (Config): Config of the distillation run; the paths of the checkpoints are written into it. A learner whose
            ``init_from`` is a config gets its start likewise.
        train (Callable): Trains a config, given the teacher's name too; :func:`mmkd_plugin.apis.train`.

    Returns:
        dict[str, Path]: Work directory of every teacher that was trained by its config.
    """
    for name, learner in cfg.model.learners.items():
        if learner is not None and str(learner.get('init_from') or '').endswith('.py'):
            start = teacher_run_config(cfg, name, dict(config=learner.init_from, view=learner.view))
            _train_once(f'{name} (start)', start, Path(start.work_dir), train)
            learner.init_from = str(Path(start.work_dir, f'{deployed_learner(start.model)[0]}_best.pth'))
    folders = {}
    for name, teacher in (cfg.model.get('teachers') or {}).items():
        if teacher is None or teacher.get('checkpoint'):
            continue
        teacher_cfg = teacher_run_config(cfg, name, teacher)
        folder = Path(teacher_cfg.work_dir)
        _train_once(name, teacher_cfg, folder, train)
        teacher.checkpoint = str(folder / f'{deployed_learner(teacher_cfg.model)[0]}_{teacher.get("use", "best")}.pth')
        folders[name] = folder
    return folders


def teacher_run_config(cfg: Config, name: str, teacher: dict) -> Config:
    """The config that trains a teacher: its own network and schedule, the run's windows, split and views.

    Were the data taken from the teacher's config, a student tested on a subject could learn from a teacher trained on it.

    Args:
        cfg (Config): Config of the distillation run.
        name (str): Name of the teacher.
        teacher (dict): Its entry in ``model.teachers``.

    Returns:
        Config: With ``work_dir`` set to a folder named after the hash of config and data.
    """
    teacher_cfg = Config.fromfile(resolve_config(teacher['config']))
    options = {
        key: value for key, value in cfg.get('cfg_options', {}).items() if key.partition('.')[0] not in ('model', *NOT_HASHED)
    }
    teacher_cfg.merge_from_dict(options)
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        teacher_cfg[loader].dataset = {**cfg[loader].dataset}
        teacher_cfg[loader].dataset.pop('anomalies', None)  # a teacher is a classifier, tested on what it knows
    _, learner = deployed_learner(teacher_cfg.model)
    learner.view = teacher.get('view', learner.view)
    views = cfg.data_preprocessor.get('views') or {}
    teacher_cfg.data_preprocessor = {**cfg.data_preprocessor, 'views': {k: v for k, v in views.items() if k == learner.view}}
    if cfg.optim_wrapper.get('type') == 'AmpOptimWrapper':
        set_amp(teacher_cfg)
    teacher_cfg.launcher = cfg.get('launcher', 'none')
    teacher_cfg.model_wrapper_cfg = cfg.get('model_wrapper_cfg')
    teacher_cfg.work_dir = str(teacher_work_dir(name, teacher_cfg, cfg.get('teacher_dir', 'work_dirs/teachers')))
    teacher_cfg.resume = True  # goes on where an interrupted run has stopped
    return teacher_cfg


def teacher_work_dir(name: str, teacher_cfg: Config, root: str | Path) -> Path:
    """``<root>/<name>-<hash of config and data>``; any change of what is learned from what is another folder."""
    settings = {key: value for key, value in teacher_cfg.to_dict().items() if key not in NOT_HASHED}
    identity = {
        'config': settings,
        'data': DATASETS.build(teacher_cfg.train_dataloader.dataset).fingerprint(),
        'version': mmkd_plugin.__version__,
    }
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()
    return Path(root, f'{name}-{digest[:10]}')


def _train_once(name: str, teacher_cfg: Config, folder: Path, train) -> None:
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
        done = [(folder / 'result.json').is_file()]
        broadcast_object_list(done)  # every process must take the same way
        if done[0]:
            print_log(f"teacher '{name}': reusing {folder}", logger='current')
        else:
            print_log(f"teacher '{name}': training {teacher_cfg.filename} into {folder}", logger='current')
            train(teacher_cfg, name)
        barrier()
    finally:
        if is_main_process():
            lock.release()
