"""Registries of mmkd_plugin: one for every registry of the host.

Each is a child of mmpretrain's registry of the same name, so that a bare ``type='ResNet'`` or ``type='Accuracy'`` resolves in
our configs, and is listed at mmengine's root as well, so that ``type='mmkd_plugin.Name'`` resolves in the configs of mmengine,
mmpretrain and every other package of the family.
"""

from __future__ import annotations

from mmengine import registry as root
from mmengine.registry import Registry
from mmpretrain import registry as host

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

HOOKS = _child(host.HOOKS, 'mmpretrain.engine', 'mmkd_plugin.engine')
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
VISBACKENDS = _child(host.VISBACKENDS, 'mmpretrain.visualization')

FUNCTIONS = _child(root.FUNCTIONS)
INFERENCERS = _child(root.INFERENCERS)
STRATEGIES = _child(root.STRATEGIES)
