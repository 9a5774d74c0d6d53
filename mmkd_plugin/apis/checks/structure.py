"""The structure of a config: dicts where dicts belong, so that everything else can be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.registry import DATASETS, MODELS

__all__ = ['missing_faults', 'structure_faults']

# May be None, for an entry that a child config has dropped.
DICTS = (
    'data_preprocessor',
    'data_preprocessor.views',
    'default_hooks',
    'model.learners.*',
    'model.phases',
    'model.phases.*',
    'model.teachers',
    'model.teachers.*',
    'model.transfers',
    'model.transfers.*',
    'optim_wrapper',
    'optim_wrapper.optimizer',
    'test_cfg',
    'test_dataloader',
    'test_dataloader.dataset',
    'train_cfg',
    'train_dataloader',
    'train_dataloader.dataset',
    'val_cfg',
    'val_dataloader',
    'val_dataloader.dataset',
)
# Must not be None where the config has them.
WHOLE = ('custom_imports', 'env_cfg', 'model', 'model.learners', 'randomness')
CHOICES = {
    'allow_seen_subjects': (True, False),
    'launcher': ('none', 'pytorch', 'slurm', 'mpi'),
    'log_level': ('CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG'),
    'resume': (True, False),
}


def structure_faults(cfg: Mapping) -> list[str]:
    """List values that are of another kind than their place needs.

    Args:
        cfg (Mapping): Of a run.

    Returns:
        list[str]: One sentence for each fault. While there is one, no other check can look at the config.
    """
    faults = []
    for path in (*DICTS, *WHOLE):
        for name, value in _values(cfg, path.split('.')):
            if not isinstance(value, Mapping) and (value is not None or path in WHOLE):
                faults.append(f'{name} must be a dict, got {value!r}')
    for name, choices in CHOICES.items():
        if name in cfg and not (type(cfg[name]) is type(choices[0]) and cfg[name] in choices):
            faults.append(f'{name} must be one of {", ".join(map(str, choices))}, got {cfg[name]!r}')
    transforms = cfg.get('augment')
    if transforms is not None and not (isinstance(transforms, list) and all(isinstance(each, Mapping) for each in transforms)):
        faults.append(f"augment must be a list of transforms, as [dict(type='RotateAxes', angle=20.0)]; got {transforms!r}")
    scope, scopes = cfg.get('default_scope', 'mmkd_plugin'), sorted({*MODELS.children, *DATASETS.children})
    if scope not in scopes:
        known = ', '.join(scopes)
        faults.append(f'default_scope must be the name of a package with registries ({known}), got {scope!r}')
    return faults


def missing_faults(cfg: Mapping) -> list[str]:
    """List the parts that a run needs and the config lacks; a config of data alone can be read, but not trained.

    Args:
        cfg (Mapping): Of a run.

    Returns:
        list[str]: One sentence for each part.
    """
    return [f'the config has no {name}' for name in ('model', 'data_preprocessor', 'optim_wrapper') if name not in cfg]


def _values(cfg: Any, parts: list[str], above: str = '') -> Iterator[tuple[str, Any]]:
    """Yield the values that a dotted path leads to, with their names; ``*`` stands for every name."""
    if not parts:
        yield above.rstrip('.'), cfg
    elif hasattr(cfg, 'keys'):
        for name in cfg.keys() if parts[0] == '*' else [parts[0]]:
            if name in cfg and name != '_scope_':
                yield from _values(cfg[name], parts[1:], f'{above}{name}.')
