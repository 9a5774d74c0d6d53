"""Names at the top of a config, and keys of ``--cfg-options``."""

from __future__ import annotations

import copy
import difflib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from mmkd_plugin.fileio import merge_options
from mmkd_plugin.structures import suggest

__all__ = ['OPTIONS', 'apply_options', 'name_faults']

HOST = (*[name for name in inspect.signature(Runner.__init__).parameters if name not in ('self', 'cfg')], 'compile')
OPTIONS = (
    *HOST,
    'activation_checkpointing',
    'allow_seen_subjects',
    'augment',
    'corruption_axes',
    'custom_imports',
    'data_root',
    'efficient_conv_bn_eval',
    'model_wrapper_cfg',
    'teacher_dir',
)
WRITTEN = ('cfg_options', 'data', 'quick')  # by load_config
# Dicts whose keys are names of the user's; every other dict is checked where its class is known.
NAMED = (
    'default_hooks',
    'data_preprocessor.views',
    'model.learners',
    'model.phases',
    'model.teachers',
    'model.transfers',
)


def name_faults(cfg: Mapping) -> list[str]:
    """List top-level names that are nearly, but not quite, those of a setting; other names are variables of the config."""
    faults = []
    for name in cfg:
        if name in OPTIONS or name in WRITTEN:
            continue
        near = [known for known in difflib.get_close_matches(name, OPTIONS, 3, 0.8) if abs(len(known) - len(name)) <= 2]
        if near:
            faults.append(f"there is no setting '{name}'; did you mean '{near[0]}'? A variable of your own needs another name")
    return faults


def apply_options(cfg: Config, options: Mapping[str, Any], prefix: str = '') -> list[str]:
    """Merge ``--cfg-options`` into a config, but for those that would change nothing.

    Args:
        cfg (Config): As its file says; changed in place.
        options (Mapping): ``{'dotted.key': value}``.
        prefix (str): What stands before each key on the command line.

    Returns:
        list[str]: One sentence for each option that is refused.
    """
    trial = copy.deepcopy(cfg)
    refused = merge_options(trial, options)
    refused = {**_unknown(cfg._cfg_dict, trial, options), **refused}
    merge_options(cfg, {key: value for key, value in options.items() if key not in refused})
    return [f'--cfg-options {prefix}{key}: {reason}' for key, reason in refused.items()]


def _unknown(unmerged: Mapping, merged: Config, options: Mapping[str, Any]) -> dict[str, str]:
    """Say of options why they change nothing: they begin with no setting, or with a name that the config has not."""
    refused = {key: _no_setting(key, unmerged) for key in options if key.partition('.')[0] not in OPTIONS}
    for key in options:
        where = next((f'{named}.' for named in NAMED if key.startswith(f'{named}.')), None)
        if key in refused or where is None:
            continue
        name = key.removeprefix(where).partition('.')[0]
        entry, known = _at(merged, where + name), _at(unmerged, where.rstrip('.')) or {}
        if name not in known and not (isinstance(entry, Mapping) and 'type' in entry):  # nor is it a new entry, whole
            question = suggest(name, known) or f'its names are {", ".join(known) or "none"}'
            refused[key] = f"{where.rstrip('.')} has no '{name}'; {question}"
    return refused


def _at(cfg: Any, key: str) -> Any:
    """Return the value of a dotted key, None where there is none."""
    for part in key.split('.'):
        cfg = cfg.get(part) if hasattr(cfg, 'get') else None
    return cfg


def _no_setting(key: str, unmerged: Mapping) -> str:
    """Say why an option does not begin with a setting."""
    name, _, _ = key.partition('.')
    last = key.split('.')[-1]
    near = [path for path in _paths(unmerged) if path.split('.')[-1] == last and path.partition('.')[0] in OPTIONS][:3]
    question = f'set {" or ".join(near)} instead' if near else suggest(name, OPTIONS)
    if name in unmerged:
        reason = f"'{name}' is a variable of the config's text, which has been read already"
    else:
        reason = f"there is no setting '{name}'"
    return f'{reason}; {question}' if question else reason


def _paths(cfg: Any, above: str = '') -> Iterator[str]:
    for name, value in cfg.items():
        yield f'{above}{name}'
        if isinstance(value, Mapping):
            yield from _paths(value, f'{above}{name}.')
