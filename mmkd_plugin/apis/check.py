"""Check a config before anything is trained or written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd_plugin.datasets import Manifest
from mmkd_plugin.fileio import ConfigError, read_config

from .checks import (
    apply_options,
    build_faults,
    checkpoint_faults,
    component_faults,
    course_faults,
    data_faults,
    folder_faults,
    load_from_faults,
    metric_faults,
    missing_faults,
    name_faults,
    outputs_faults,
    run_components,
    structure_faults,
    text_faults,
    value_faults,
)
from .teachers import teacher_config, teacher_options

__all__ = ['check_config', 'config_faults']


def check_config(cfg: Config) -> Manifest:
    """Check everything that a config names: its own entries, its data, its model, its teachers' configs.

    Args:
        cfg (Config): Of a run.

    Returns:
        Manifest: All windows of the run, audited.

    Raises:
        ConfigError: Something is wrong; the message lists all faults. Nothing has been trained or written then.
    """
    faults, manifest = _check(cfg)
    if faults or manifest is None:
        raise ConfigError(faults, cfg.filename)
    return manifest


def config_faults(cfg: Config) -> list[str]:
    """List all faults of a config, one sentence each."""
    return _check(cfg)[0]


def _check(cfg: Config) -> tuple[list[str], Manifest | None]:
    wrong = [*structure_faults(cfg), *missing_faults(cfg)]
    if wrong:
        return wrong, None
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    faults = component_faults(run_components(cfg))
    broken = {split for split in ('train', 'val', 'test') if _concern(faults, f'{split}_dataloader')}
    faults += [*name_faults(cfg), *course_faults(cfg), *folder_faults(cfg)]
    if not faults:
        faults += value_faults(cfg)
    if not _concern(faults, 'val_evaluator', 'test_evaluator', 'default_hooks.checkpoint', 'the config has no'):
        faults += metric_faults(cfg)
    data, manifest, test = data_faults(cfg, broken)
    faults += [*data, *load_from_faults(cfg, test), *_model_faults(cfg, manifest, test)]
    return [*faults, *_teacher_faults(cfg, faults)], manifest


def _concern(faults: list[str], *names: str) -> bool:
    return any(fault.startswith(names) for fault in faults)


def _model_faults(cfg: Config, manifest: Manifest | None, test: Any) -> list[str]:
    """Check the model; it is built only if its text is sound."""
    faults, checkpoints = [*text_faults(cfg), *outputs_faults(cfg, manifest, test)], checkpoint_faults(cfg, test)
    return [*faults, *build_faults(cfg, faults, checkpoints), *checkpoints.values()]


def _teacher_faults(cfg: Config, known: list[str]) -> list[str]:
    """Check the configs that teachers, and learners with a start, are trained by; a fault of the run is not said again."""
    trained: dict[str, Mapping] = {}
    for key, field in (('teachers', 'config'), ('learners', 'init_from')):
        for name, entry in (cfg.model.get(key) or {}).items():
            path = str((entry or {}).get(field) or '')
            if path.endswith('.py') or (path and key == 'teachers' and not entry.get('checkpoint')):
                trained[name] = {**entry, 'config': path}
    sentences: dict[str, list[str]] = {}
    for name, entry in trained.items():
        for fault in _faults_of_teacher(cfg, entry):
            if fault not in known:
                sentences.setdefault(fault, []).append(f"'{name}' ({entry['config']})")
    return [f'teacher {", ".join(names)}: {fault}' for fault, names in sentences.items()]


def _faults_of_teacher(cfg: Config, teacher: Mapping) -> list[str]:
    try:
        text = read_config(teacher['config'])
        own = teacher_config(cfg, teacher, text)
        faults = apply_options(text, teacher_options(cfg), 'teachers.')
    except (ValueError, OSError, ImportError):  # a fault of the model
        return []
    wrong = [*faults, *structure_faults(own), *missing_faults(own)]
    if wrong:
        return wrong
    faults += [*component_faults(run_components(own)), *name_faults(own), *course_faults(own), *text_faults(own)]
    if not faults:
        faults += value_faults(own) + metric_faults(own) + build_faults(own, [], {})
    return faults
