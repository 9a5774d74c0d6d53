"""Registries of mmkd_plugin: one for every registry of the host.

Each is a child of mmpretrain's registry of the same name, so that a bare ``type='ResNet'`` or ``type='Accuracy'`` resolves in
our configs, and is listed at mmengine's root as well, so that ``type='mmkd_plugin.Name'`` resolves in the configs of mmengine,
mmpretrain and every other package of the family.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from .compatibility import quiet

with quiet():
    import mmpretrain.datasets  # noqa: F401 - prints at import
    from mmengine import registry as root
    from mmengine.registry import Registry
    from mmpretrain import registry as host

from mmkd_plugin.structures import accepted_arguments, suggest

__all__ = [
    'DATASETS',
    'DATA_SAMPLERS',
    'EVALUATORS',
    'FUNCTIONS',
    'HOOKS',
    'INFERENCERS',
    'LOG_PROCESSORS',
    'LOOPS',
    'METRICS',
    'MODELS',
    'MODEL_WRAPPERS',
    'OPTIMIZERS',
    'OPTIM_WRAPPERS',
    'OPTIM_WRAPPER_CONSTRUCTORS',
    'PARAM_SCHEDULERS',
    'RUNNERS',
    'RUNNER_CONSTRUCTORS',
    'STRATEGIES',
    'TASK_UTILS',
    'TRANSFORMS',
    'VISBACKENDS',
    'VISUALIZERS',
    'WEIGHT_INITIALIZERS',
    'argument_faults',
    'build_checked',
    'find_type',
    'foreign_type',
]


def _child(parent: Registry, *locations: str) -> Registry:
    registry = Registry(parent.name, parent=parent, scope='mmkd_plugin', locations=list(locations))
    if parent.parent is not None:
        # The root looks one level down only; without this line 'mmkd_plugin.Name' resolves from mmpretrain alone.
        parent.parent._add_child(registry)
    return registry


# mmengine names its evaluator registry in the singular, and mmpretrain has no registry for the last three.
MODELS = _child(host.MODELS, 'mmpretrain.models', 'mmkd_plugin.models')
MODEL_WRAPPERS = _child(host.MODEL_WRAPPERS, 'mmpretrain.models')
WEIGHT_INITIALIZERS = _child(host.WEIGHT_INITIALIZERS, 'mmpretrain.models')
TASK_UTILS = _child(host.TASK_UTILS, 'mmkd_plugin.engine', 'mmkd_plugin.datasets')

DATASETS = _child(host.DATASETS, 'mmpretrain.datasets', 'mmkd_plugin.datasets')
DATA_SAMPLERS = _child(host.DATA_SAMPLERS, 'mmpretrain.datasets')
TRANSFORMS = _child(host.TRANSFORMS, 'mmpretrain.datasets', 'mmkd_plugin.datasets')

HOOKS = _child(host.HOOKS, 'mmpretrain.engine', 'mmkd_plugin.engine', 'mmkd_plugin.deploy', 'mmkd_plugin.apis')
LOOPS = _child(host.LOOPS, 'mmpretrain.engine')
LOG_PROCESSORS = _child(host.LOG_PROCESSORS, 'mmpretrain.engine')
OPTIMIZERS = _child(host.OPTIMIZERS, 'mmpretrain.engine')
OPTIM_WRAPPERS = _child(host.OPTIM_WRAPPERS, 'mmpretrain.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(host.OPTIM_WRAPPER_CONSTRUCTORS, 'mmpretrain.engine')
PARAM_SCHEDULERS = _child(host.PARAM_SCHEDULERS, 'mmpretrain.engine')
RUNNERS = _child(host.RUNNERS, 'mmpretrain.engine')
RUNNER_CONSTRUCTORS = _child(host.RUNNER_CONSTRUCTORS, 'mmpretrain.engine')

METRICS = _child(host.METRICS, 'mmpretrain.evaluation', 'mmkd_plugin.evaluation')
EVALUATORS = _child(host.EVALUATORS, 'mmpretrain.evaluation')
VISUALIZERS = _child(host.VISUALIZERS, 'mmpretrain.visualization')
VISBACKENDS = _child(host.VISBACKENDS, 'mmpretrain.visualization', 'mmkd_plugin.visualization')

FUNCTIONS = _child(root.FUNCTIONS)
INFERENCERS = _child(root.INFERENCERS, 'mmkd_plugin.deploy')
STRATEGIES = _child(root.STRATEGIES)

# Arguments that the host takes out of a config before it calls the class.
_TAKEN_BEFORE = {HOOKS.name: {'priority'}, PARAM_SCHEDULERS.name: {'convert_to_iter_based'}}
# Further arguments that the signature lets through and that fail only at the first epoch's end.
_CLOSED = {'CheckpointHook'}


def find_type(registry: Registry, kind: str | Callable | None) -> Callable | None:
    """Return the class that ``type=`` names, None where no registry knows the name.

    Args:
        registry (Registry): One of the registries here.
        kind (str | Callable, optional): A name, one with a scope as ``'mmpretrain.ResNet'``, or the class itself.
    """
    if not isinstance(kind, str):
        return kind if callable(kind) else None
    try:
        return registry.get(kind)
    except RuntimeError:  # an unknown name, in the OneDL build
        return None


def foreign_type(cfg: Any) -> str | None:
    """Return the first ``type`` in a config, dicts inside included, that no registry knows; None where all are known.

    The host imports and calls such a type, as 'subprocess.call'. A config may name one, since configs are code; a file of
    weights may not.

    Args:
        cfg (Any): Dicts, lists, texts and numbers, as a file holds them.
    """
    if isinstance(cfg, (list, tuple)):
        return next((kind for kind in map(foreign_type, cfg) if kind is not None), None)
    if not isinstance(cfg, Mapping):
        return None
    registries = (MODELS, TRANSFORMS, WEIGHT_INITIALIZERS)
    if 'type' in cfg and not any(_is_registered(registry, cfg['type']) for registry in registries):
        return str(cfg['type'])
    return foreign_type([value for key, value in cfg.items() if key != 'type'])


def _is_registered(registry: Registry, kind: Any) -> bool:
    """Return whether a registry of the family has a name, which may begin with the scope of that registry."""
    if not isinstance(kind, str):
        return False
    top = registry
    while top.parent is not None:
        top = top.parent
    scope, _, name = kind.rpartition('.')
    for each in (top, *top.children.values()):
        each.import_from_location()
        if name in each.module_dict and scope in ('', each.scope):
            return True
    return False


def argument_faults(cfg: Mapping, registry: Registry, where: str, supplied: Collection[str] = ()) -> list[str]:
    """List the faults of one ``dict(type=..., ...)``: an unknown type, unknown arguments, missing arguments.

    Args:
        cfg (Mapping): As it stands in a config. Dicts inside are not looked at.
        registry (Registry): The registry that builds the dict.
        where (str): Name of the entry for messages, as ``"transfer 'fam_gaf'"``.
        supplied (Collection[str]): Arguments that the caller gives when the dict does not.

    Returns:
        list[str]: One sentence for each fault, with the nearest known name; empty for a good dict.
    """
    if not isinstance(cfg, Mapping) or 'type' not in cfg:
        return [f'{where} must be a dict with type=, got {cfg!r}']
    target = find_type(registry, cfg['type'])
    if target is None:
        question = suggest(str(cfg['type']).rpartition('.')[2], _registered(registry))
        return [f"{where}: there is no {registry.name} of type '{cfg['type']}'" + (f'; {question}' if question else '')]
    name, arguments = getattr(target, '__name__', str(target)), accepted_arguments(target)
    given = cfg.keys() - {'type', '_scope_'} - _TAKEN_BEFORE.get(registry.name, set())
    faults = []
    is_open = arguments.open and name not in _CLOSED
    for argument in [] if is_open else [key for key in cfg if key in given and key not in arguments.names]:
        own = [known for known in arguments.names if known not in supplied]
        question = suggest(argument, own) or (f'its arguments are {", ".join(own)}' if own else 'it takes no argument')
        faults.append(f"{where}: {name} takes no '{argument}'; {question}")
    missing = [argument for argument in arguments.required if argument not in given and argument not in supplied]
    if missing:
        faults.append(f'{where}: {name} needs {", ".join(missing)}')
    return faults


def build_checked(cfg: Mapping, registry: Registry, where: str, **supplied: Any) -> Any:
    """Build one ``dict(type=..., ...)``, with messages that name the entry.

    Args:
        cfg (Mapping): As it stands in a config.
        registry (Registry): The registry that builds the dict.
        where (str): Name of the entry for messages.
        **supplied: Arguments where the dict does not give them.

    Returns:
        Any: The object.

    Raises:
        ValueError: The type or an argument is unknown, an argument is missing, or the class refuses a value.
    """
    faults = argument_faults(cfg, registry, where, supplied)
    if faults:
        raise ValueError('\n'.join(faults))
    try:
        return registry.build(cfg, default_args=supplied)
    except (AssertionError, ImportError, KeyError, TypeError, ValueError) as error:
        message = error.args[0] if isinstance(error, KeyError) and error.args else error
        # A message of several lines is a list of faults.
        raise ValueError(
            '\n'.join(f'{where}: {line}' for line in str(message).splitlines() or [type(error).__name__])
        ) from error


def _registered(registry: Registry | None) -> list[str]:
    """Return the names of a registry and of those above it."""
    names: list[str] = []
    while registry is not None:
        names += registry.module_dict
        registry = registry.parent
    return names
