"""Settings of a run that decide what is learned, and their fingerprint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmkd_plugin.fileio import facts_hash, file_hash, views_read

__all__ = ['first_difference', 'learning_settings', 'settings_fingerprint']

# Where a run writes and reads, how it logs and how fast it loads does not change what is learned; neither do variables.
DECIDE = (
    'model',
    'data_preprocessor',
    'randomness',
    'optim_wrapper',
    'param_scheduler',
    'train_cfg',
    'train_dataloader',
    'val_cfg',
    'val_dataloader',
    'val_evaluator',
    'test_cfg',
    'test_dataloader',
    'test_evaluator',
    'auto_scale_lr',
    'activation_checkpointing',
    'efficient_conv_bn_eval',
    'default_hooks',
    'custom_hooks',
    'quick',
)
NAMED = ('learners', 'teachers', 'transfers', 'phases')
SPLITS = ('train', 'val', 'test')
LOADING = ('num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor')
COPYING = ('non_blocking',)  # set where there is a GPU: one sweep may plan on a machine with one and train on a processor
READING = ('store', 'engine', 'workers')
# Hooks that only look on, and the arguments of others that choose which epoch counts or change a value.
LOOKING_ON = (
    'IterTimerHook',
    'LoggerHook',
    'ProgressHook',
    'VisualizationHook',
    'PictureHook',
    'ContractHook',
    'DoctorHook',
    'FiniteLossHook',
    'ResumeHook',
)
DECIDING_ARGUMENTS = {'CheckpointHook': ('save_best', 'rule'), 'TeacherCacheHook': ('dtype',)}


def learning_settings(cfg: Mapping, data: str, weights: Mapping[str, Mapping[str, str]] | None = None) -> dict:
    """Return what decides what a run learns, in plain values.

    Args:
        cfg (Mapping): Complete config of the run.
        data (str): Fingerprint of the windows, which stands for the place where they lie.
        weights (Mapping, optional): Under 'teachers' and 'learners' by name, the fingerprint of the weights that a network
            starts from, or of the outputs that a teacher consists of, which stands for a path.

    Returns:
        dict: Of dicts, lists, texts and numbers; the order is that in which differences are named.
    """
    plain = json.loads(json.dumps(_without_scopes(cfg), default=str))
    settings = {key: plain[key] for key in DECIDE if plain.get(key) is not None}
    for split in SPLITS:
        if f'{split}_dataloader' in settings:
            settings[f'{split}_dataloader'] = _loader(settings[f'{split}_dataloader'])
    preprocessor = settings.get('data_preprocessor') or {}
    for key in COPYING:
        preprocessor.pop(key, None)
    for key in ('default_hooks', 'custom_hooks'):
        hooks = settings.get(key) or {}
        settings[key] = _hooks(hooks.values() if isinstance(hooks, dict) else hooks)
    model = settings.get('model') or {}
    for kind in NAMED:  # None stands for an entry that a child config has dropped
        model[kind] = {name: entry for name, entry in (model.get(kind) or {}).items() if entry is not None}
    views, read = preprocessor.get('views'), views_read(model)
    if views and read:  # another one is not made
        preprocessor['views'] = {name: view for name, view in views.items() if name in read}
    for kind, path in (('teachers', 'checkpoint'), ('learners', 'init_from')):
        entries = model[kind]
        for name, fingerprint in (weights or {}).get(kind, {}).items():
            entry = {key: value for key, value in entries[name].items() if key not in (path, 'config', 'outputs')}
            entries[name] = {**entry, 'outputs' if entries[name].get('outputs') else 'weights': fingerprint}
    for entry in (*model['learners'].values(), *model['teachers'].values()):
        _name_weights(entry)
    return {**settings, 'data': data}


def _name_weights(entry: Any) -> None:
    """Put the hash of a backbone's file of weights, as Mantis has one, in the place of the path."""
    network = entry.get('network') if isinstance(entry, dict) else None
    backbone = network.get('backbone') if isinstance(network, dict) else None
    weights = backbone.get('weights') if isinstance(backbone, dict) else None
    if isinstance(backbone, dict) and isinstance(weights, str) and Path(weights).is_file():
        backbone['weights'] = file_hash(weights)


def settings_fingerprint(settings: Mapping) -> str:
    """Return SHA-256 of settings, in hexadecimal."""
    return facts_hash(settings)


def first_difference(old: Any, new: Any, path: str = '') -> tuple[str, Any, Any] | None:
    """Return the first value that differs between two settings.

    Args:
        old (Any): Dicts, lists, texts and numbers.
        new (Any): Likewise; their order counts.
        path (str): Dotted key of both.

    Returns:
        tuple[str, Any, Any], optional: Dotted key, old value and new value, None where there is no value; None for equal ones.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        pairs = [(key, old.get(key), new.get(key)) for key in dict.fromkeys([*new, *old])]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(str(index), *pair) for index, pair in enumerate(zip(old, new))]
    else:
        return None if old == new else (path, old, new)
    below = (first_difference(one, other, f'{path}.{key}' if path else key) for key, one, other in pairs)
    return next((difference for difference in below if difference is not None), None)


def _without_scopes(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_scopes(entry) for key, entry in value.items() if key != '_scope_'}
    return [_without_scopes(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _loader(loader: dict) -> dict:
    """Leave out where data lie and how they are read: the fingerprint of the data says what was read."""
    dataset = {key: value for key, value in (loader.get('dataset') or {}).items() if key not in READING}
    if isinstance(dataset.get('reader'), dict):
        dataset['reader'] = {key: value for key, value in dataset['reader'].items() if key != 'root'}
    return {**{key: value for key, value in loader.items() if key not in LOADING}, 'dataset': dataset}


def _hooks(hooks: Any) -> dict:
    """Return hooks by type, without those that look on."""
    deciding: dict[str, Any] = {}
    for hook in filter(None, hooks):
        name = str(hook.get('type')).rpartition('.')[2]
        arguments = DECIDING_ARGUMENTS.get(name, tuple(hook))
        entry = {key: hook[key] for key in arguments if key in hook and key != 'type'}
        if name not in LOOKING_ON:
            deciding.setdefault(name, []).append(entry)
    return deciding
