"""From command line arguments to one complete config."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from mmkd_plugin.fileio import ConfigError, complete_teachers, read_config, resolve_config

from .check import config_faults
from .checks import apply_options, structure_faults
from .overrides import augment, data_of, require_streams, set_amp, set_data, set_data_root, set_fold, set_loaders, shorten
from .teachers import teacher_options

__all__ = ['load_config']


def load_config(
    path: str | Path,
    work_dir: str | None = None,
    resume: str | bool = False,
    amp: bool = False,
    cfg_options: dict | None = None,
    launcher: str = 'none',
    seed: int | None = None,
    fold: int | None = None,
    data: str | None = None,
    quick: bool = False,
    allow_seen_subjects: bool = False,
) -> Config:
    """Read a config and merge the arguments of the command line.

    Args:
        path (str | Path): Config file, from the current folder or among the shipped ones; ``'fam_kd'`` is enough.
        work_dir (str, optional): Folder that the run writes to; ``work_dirs/<data>/<config>`` by default, with ``fold<k>``
            below where a fold is given.
        resume (str | bool): True goes on from the newest checkpoint in ``work_dir``, a path from that checkpoint.
        amp (bool): Automatic mixed precision.
        cfg_options (dict, optional): ``{'dotted.key': value}``. A key that begins with ``teachers.`` goes into the configs of
            the teachers, every other key into this config alone.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.
        seed (int, optional): Seed of this run. Teachers keep the seed of their own config.
        fold (int, optional): Fold of the data's protocol, from 0; runs of different folds get different folders.
        data (str, optional): Data in the place of the config's own: a name among ``configs/_base_/datasets``, or the path of
            such a file.
        quick (bool): Shorten this run and those of its teachers for a first look. Both get folders of their own.
        allow_seen_subjects (bool): Take checkpoints that have learned from subjects which are tested.

    Returns:
        Config: Ready for :func:`mmkd_plugin.apis.train`.

    Raises:
        FileNotFoundError: There is no such config.
        ConfigError: An option, a fold or a teacher's config is wrong. The message then lists all faults of the config.
    """
    path = resolve_config(path)
    cfg = _read(path, data, quick)
    options = dict(cfg_options or {})
    given = {key: value for key, value in options.items() if not key.startswith('teachers.')}
    faults = apply_options(cfg, given)
    wrong = structure_faults(cfg)
    if wrong:
        raise ConfigError([*faults, *wrong], path)
    cfg.cfg_options = options
    _set_folders(cfg, path, work_dir, fold, quick)
    _set_start(cfg, launcher, resume, seed)
    if allow_seen_subjects:
        cfg.allow_seen_subjects = True
    if amp:
        set_amp(cfg)
    if any(key.startswith('custom_imports') for key in given) and cfg.custom_imports.get('imports'):
        import_modules_from_strings(**cfg.custom_imports)
    set_loaders(cfg)
    augment(cfg)
    if 'data_root' in given:
        faults += set_data_root(cfg)
    if fold is not None:
        faults += set_fold(cfg, fold)
    try:
        complete_teachers(cfg.get('model') or {}, teacher_options(cfg))
    except ConfigError as error:
        faults += error.faults
    if faults:
        raise ConfigError([*faults, *config_faults(cfg)], path)
    require_streams(cfg)
    return cfg


def _read(path: Path, data: str | None, quick: bool) -> Config:
    """Read a config, with other data in the place of its own and shortened where that is asked for."""
    cfg = read_config(path)
    own = data_of(path)
    name = set_data(cfg, data, own) if data else own and own.stem
    if name:
        cfg.data = name
    if quick:
        shorten(cfg)
    return cfg


def _set_start(cfg: Config, launcher: str, resume: str | bool, seed: int | None) -> None:
    """Set how a run starts: its processes, the checkpoint that it goes on from, its random state."""
    cfg.launcher = launcher
    if resume:
        cfg.resume = True
        cfg.load_from = resume if isinstance(resume, str) else None
    if seed is not None:
        cfg.randomness = {**cfg.get('randomness', {}), 'seed': seed}


def _set_folders(cfg: Config, path: Path, work_dir: str | None, fold: int | None, quick: bool) -> None:
    """Set ``work_dir`` and, for a first look, another folder of teachers."""
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        *folders, last = _run_name(path, cfg.get('data'))
        parts = [*folders, f'{last}-quick' if quick else last, *([] if fold is None else [f'fold{fold}'])]
        cfg.work_dir = str(Path('work_dirs', *parts))
    if quick:
        cfg.teacher_dir = f'{cfg.get("teacher_dir", "work_dirs/teachers").removesuffix("-quick")}-quick'


def _run_name(path: Path, data: str | None) -> list[str]:
    """Return the folders of a run: its data, then the config's path below the last folder ``configs``."""
    parts = list(path.with_suffix('').parts)
    below = len(parts) - parts[::-1].index('configs') if 'configs' in parts[:-1] else -1
    name = parts[below:]
    return [data, *(name[1:] if name[0] == data and len(name) > 1 else name)] if data else name
