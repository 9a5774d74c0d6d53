"""Comparison of the teachers' cached outputs with the teachers."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import COLLATE_FUNCTIONS

from mmkd_plugin.engine import inputs_fingerprint
from mmkd_plugin.registry import DATASETS, MODELS

from .check import check_config
from .teachers import prepare_teachers
from .train import train

__all__ = ['CacheCheck', 'verify_caches']

TOLERANCE = {'float32': 1e-4, 'float16': 1e-2}


@dataclass(frozen=True)
class CacheCheck:
    """Comparison of one teacher's cache with the teacher.

    Attributes:
        teacher (str): Name of the teacher.
        folder (Path): Folder of the cache, whether it exists or not.
        complete (bool): Whether the folder holds a whole cache.
        faults (tuple[str, ...]): What is damaged in the folder; empty where there is none.
        error (float): Largest difference over the largest value, over all taps that are kept; NaN without a cache.
        samples (int): Number of windows that were computed again.
        good (bool): Whether there is a cache and its error is within rounding.
    """

    teacher: str
    folder: Path
    complete: bool
    faults: tuple[str, ...]
    error: float
    samples: int
    good: bool


def verify_caches(cfg: Config, samples: int = 16, seed: int = 0) -> list[CacheCheck]:
    """Compute the teachers' outputs on some training windows again, and compare them with the caches.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        samples (int): Number of windows, drawn at random.
        seed (int): Seed of the draw.

    Returns:
        list[CacheCheck]: One for each teacher.

    Raises:
        FileNotFoundError: As :func:`mmkd_plugin.apis.check_config`.
        KeyError: Likewise.
        ValueError: Likewise, or the config keeps no outputs.
    """
    cfg = copy.deepcopy(cfg)
    hook = next((h for h in cfg.get('custom_hooks') or [] if str(h.type).endswith('TeacherCacheHook')), None)
    entries = [entry for entry in (cfg.model.get('teachers') or {}).values() if entry is not None]
    if hook is None or all(entry.get('outputs') for entry in entries):
        raise ValueError(
            'the config keeps no outputs: it has no teachers whose outputs are computed, or no TeacherCacheHook among its '
            'custom_hooks'
        )
    prepare_teachers(cfg, train, check_config(cfg))
    model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model})
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    root = Path(hook.get('folder') or Path(cfg.get('teacher_dir', 'work_dirs/teachers'), 'cache'))
    dtype = hook.get('dtype', 'float32')
    index = torch.from_numpy(np.random.default_rng(seed).permutation(len(dataset))[:samples].copy())
    collate = COLLATE_FUNCTIONS.get(cfg.train_dataloader.collate_fn.type)
    checks = []
    for name, cache in model.plan_caches(root, inputs_fingerprint(cfg, dataset), dtype).items():
        faults = cache.faults(len(dataset))
        if faults:
            checks.append(CacheCheck(name, cache.folder, False, tuple(faults) if cache.exists else (), float('nan'), 0, False))
            continue
        (now,) = model.teacher_outputs(name, [collate([dataset[int(i)] for i in index])])
        kept = cache.read(index, model.teachers[name], torch.device('cpu'))
        error = max(_difference(kept, now, tap) for tap in cache.taps)
        checks.append(CacheCheck(name, cache.folder, True, (), error, len(index), error <= TOLERANCE[dtype]))
    return checks


def _difference(kept, now, tap: str) -> float:
    name, _, level = tap.partition('.')
    a, b = (getattr(taps, name)[int(level)] if level else getattr(taps, name) for taps in (kept, now))
    return ((a - b).abs().max() / b.abs().max().clamp_min(1e-12)).item()
