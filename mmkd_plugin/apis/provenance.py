"""Where a result comes from: the config as it was run, the data, the code, the stack and the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

import mmkd_plugin
from mmkd_plugin.compatibility import HOST
from mmkd_plugin.deploy import learning_settings
from mmkd_plugin.fileio import facts_hash

from .teachers import teacher_config, trained_starts

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

__all__ = ['Clock', 'config_fingerprint', 'describe_origin', 'method_name']

STACK = ['torch', 'numpy', 'scipy', 'scikit-learn', *(name for names, _, _ in HOST.values() for name in names)]


class Clock:
    """Start of a run: when it was, and from where on seconds and the memory of an accelerator are counted."""

    def __init__(self) -> None:
        self.started, self.begin = datetime.now(timezone.utc), time.monotonic()
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()

    def read(self) -> dict[str, Any]:
        """Return what differs between two runs of one config: start, seconds, peak memory in bytes, and the machine."""
        gpu = torch.cuda.is_available()
        return {
            'started': self.started.isoformat(timespec='seconds'),
            'seconds': round(time.monotonic() - self.begin, 1),
            'peak_memory': _peak_memory(),
            'peak_device_memory': torch.cuda.max_memory_allocated() if gpu else None,
            'host': platform.node(),
            'system': platform.platform(),
            'cores': os.cpu_count(),
            'threads': torch.get_num_threads(),
            'device': torch.cuda.get_device_name() if gpu else 'cpu',
        }


def _peak_memory() -> int | None:
    """Return the most memory that this process has held, in bytes; None where the system does not tell."""
    if resource is None:
        return None
    unit = 1 if sys.platform == 'darwin' else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def describe_origin(cfg: Config, fingerprint: str, seed: int, metainfo: Mapping, clock: Clock) -> dict:
    """Return what ``run`` in ``result.json`` holds.

    Args:
        cfg (Config): Config of the run.
        fingerprint (str): Of the config before its teachers were trained, see :func:`config_fingerprint`.
        seed (int): Of the run, drawn where the config names none.
        metainfo (Mapping): Of the data set.
        clock (Clock): Started when the run has begun, after its teachers.

    Returns:
        dict: Plain values: ``config``, ``method``, ``data``, ``fold``, ``seed``, ``fingerprint``, ``resolved`` (the config as
        JSON), ``class_names``, ``subjects`` by split, ``code``, ``stack`` and ``process``.
    """
    dataset = cfg.test_dataloader.dataset
    subjects = dataset.get('subjects')
    settings = {key: value for key, value in cfg.to_dict().items() if key != 'cfg_options'}
    return {
        'config': cfg.filename,
        'method': method_name(cfg.filename),
        'data': cfg.get('data') or dict(dataset.get('reader') or dataset)['type'],
        'fold': subjects.get('fold', 0) if isinstance(subjects, dict) and 'type' in subjects else None,
        'seed': int(seed),
        'fingerprint': fingerprint,
        'resolved': json.dumps(settings, sort_keys=True, default=str),
        'class_names': [str(name) for name in metainfo.get('classes') or ()],
        'subjects': {split: list(map(str, members)) for split, members in (metainfo.get('subjects') or {}).items()},
        'code': describe_code(),
        'stack': describe_stack(),
        'process': clock.read(),
    }


def method_name(filename: str | Path | None) -> str:
    """Return the name of a config in tables: its path below ``configs``, or its name alone, without the ending."""
    path = Path(filename or 'config')
    parts = path.with_suffix('').parts
    below = len(parts) - parts[::-1].index('configs') if 'configs' in parts[:-1] else -1
    return '/'.join(parts[below:])


def config_fingerprint(cfg: Config) -> str:
    """Return SHA-256 of a config and of the configs of its teachers and starts, the same for all folds, seeds and work dirs.

    Args:
        cfg (Config): As it is before a run trains teachers and starts: afterwards ``init_from`` is a path of one fold.
    """
    networks = {
        'teachers': {name: entry for name, entry in (cfg.model.get('teachers') or {}).items() if entry and entry.get('config')},
        'starts': trained_starts(cfg),
    }
    content = {'config': _settings(cfg), 'teachers': {}}
    for kind, entries in networks.items():
        if entries:
            content[kind] = {name: _settings(teacher_config(cfg, entry)) for name, entry in entries.items()}
    return facts_hash(content)


def _settings(cfg: Config) -> dict:
    """Return the settings of a config without fold, seed and the paths of weights that are trained for it."""
    settings = learning_settings(cfg.to_dict(), data='')
    settings.get('randomness', {}).pop('seed', None)
    for split in ('train', 'val', 'test'):
        subjects = settings[f'{split}_dataloader']['dataset'].get('subjects')
        if isinstance(subjects, dict):
            subjects.pop('fold', None)
    for teacher in settings['model']['teachers'].values():
        if teacher.get('config'):
            teacher.pop('checkpoint', None)
    return settings


def describe_code() -> dict[str, Any]:
    """Return the package's version and, in a checkout, its commit and whether files differ from that."""
    folder = Path(mmkd_plugin.__file__).parent
    tracked = _git(folder, 'ls-files', '--error-unmatch', '__init__.py')
    commit = _git(folder, 'rev-parse', 'HEAD') if tracked else None
    changed = bool(_git(folder, 'status', '--porcelain', '--untracked-files=no')) if commit else None
    return {'version': mmkd_plugin.__version__, 'commit': commit, 'changed': changed}


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(['git', '-C', str(folder), *words], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def describe_stack() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide what a run gives."""
    versions = {'python': platform.python_version()}
    for name in STACK:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
