"""From command line arguments to one complete config."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config

from mmkd_plugin.fileio import complete_teachers, resolve_config

__all__ = ['load_config', 'set_amp']


def load_config(
    path: str | Path,
    work_dir: str | None = None,
    resume: str | bool = False,
    amp: bool = False,
    cfg_options: dict | None = None,
    launcher: str = 'none',
    seed: int | None = None,
    fold: int | None = None,
) -> Config:
    """Read a config and merge what the command line says.

    Args:
        path (str | Path): Config file, from the current folder or among the shipped ones.
        work_dir (str, optional): Where the run writes; ``work_dirs/<name of the config>`` by default.
        resume (str | bool): True goes on from the newest checkpoint in ``work_dir``, a path from that checkpoint.
        amp (bool): Automatic mixed precision.
        cfg_options (dict, optional): ``{'dotted.key': value}``. They reach the teachers' configs too, where they are not about
            the model.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.
        seed (int, optional): Seed of this run. Teachers keep the seed of their own config.
        fold (int, optional): Fold of the data's protocol, from 0; runs of different folds get different folders.

    Returns:
        Config: Ready for :func:`mmkd_plugin.apis.train`.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: A fold is given, and the data are split by names and not by a protocol.
    """
    path = resolve_config(path)
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(cfg_options or {})
    cfg.cfg_options = dict(cfg_options or {})
    cfg.launcher = launcher
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs', *_name(path), *([] if fold is None else [f'fold{fold}'])))
    if resume:
        cfg.resume = True
        cfg.load_from = resume if isinstance(resume, str) else None
    if amp:
        set_amp(cfg)
    _set_loaders(cfg)
    if 'data_root' in cfg.cfg_options:
        _set_data_root(cfg)
    if fold is not None:
        _set_fold(cfg, fold)
    complete_teachers(cfg.get('model') or {})
    if seed is not None:
        cfg.randomness = {**cfg.get('randomness', {}), 'seed': seed}
    return cfg


def set_amp(cfg: Config) -> None:
    """Turn the optimiser wrapper into the one for automatic mixed precision."""
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def _set_loaders(cfg: Config) -> None:
    """Workers live on between epochs, and batches go to a GPU from pinned memory, unless the config says otherwise."""
    pinned = torch.cuda.is_available()
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader:
            loader.setdefault('persistent_workers', loader.get('num_workers', 0) > 0)
            loader.setdefault('pin_memory', pinned)
    if pinned and cfg.get('data_preprocessor'):
        cfg.data_preprocessor.setdefault('non_blocking', True)


def _name(path: Path) -> tuple[str, ...]:
    """Of a run: the config's path below the last folder ``configs``, so that two data sets' ``fam_kd`` do not meet."""
    parts = path.with_suffix('').parts
    if 'configs' in parts[:-1]:
        return parts[len(parts) - parts[::-1].index('configs') :]
    return parts[-1:]


def _set_fold(cfg: Config, fold: int) -> None:
    for split in ('train', 'val', 'test'):
        subjects = (cfg.get(f'{split}_dataloader') or {}).get('dataset', {}).get('subjects', {})
        if 'type' not in subjects:
            raise ValueError(
                f'--fold {fold} needs data that are split by a protocol, for example '
                f"subjects=dict(type='LeaveOneSubjectOut', fold=0); the {split} split of this config names its subjects"
            )
        subjects['fold'] = fold


def _set_data_root(cfg: Config) -> None:
    """Let ``--cfg-options data_root=...`` reach the readers; in a config's text the name was already read."""
    for split in ('train', 'val', 'test'):
        reader = (cfg.get(f'{split}_dataloader') or {}).get('dataset', {}).get('reader')
        if reader is None:
            raise ValueError(f'data_root={cfg.data_root} needs data that a reader reads; the {split} split has none')
        reader['root'] = cfg.data_root
