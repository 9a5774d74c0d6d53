"""Components of a config: every dict that a class or a function of the host or of this package is built from."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmengine.registry import Registry
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.utils.data import DataLoader

from mmkd_plugin import registry as known
from mmkd_plugin.registry import argument_faults
from mmkd_plugin.structures import accepted_arguments, suggest

__all__ = ['Component', 'component_faults', 'hooks_of', 'listed', 'run_components']

# Keys that the host takes out of a dict before it calls the class.
LOADER_KEYS = {'num_batch_per_epoch', 'worker_init_fn', 'disable_subprocess_warning'}
PARAMWISE = (
    'custom_keys',
    'bias_lr_mult',
    'bias_decay_mult',
    'norm_decay_mult',
    'dwconv_decay_mult',
    'flat_decay_mult',
    'dcn_offset_lr_mult',
    'bypass_duplicate',
)


@dataclass(frozen=True)
class Component:
    """One dict of a config and the names that it may hold.

    Attributes:
        where (str): Dotted name, as in ``--cfg-options``.
        cfg (object): The dict itself, or whatever stands in its place.
        registry (Registry, optional): Registry of its ``type``; without one, ``names`` says what is known.
        default (str, optional): Its type where it names none.
        supplied (Collection[str]): Arguments that the host gives.
        taken (Collection[str]): Keys that the host takes out before.
        names (Collection[str]): All keys of a dict without a type; with a registry, names of the dicts beside this one.
    """

    where: str
    cfg: Any
    registry: Registry | None = None
    default: str | None = None
    supplied: Collection[str] = ()
    taken: Collection[str] = ()
    names: Collection[str] = ()

    def faults(self) -> list[str]:
        """List unknown keys, an unknown type and missing arguments, one sentence each."""
        if not isinstance(self.cfg, Mapping):
            return [f'{self.where} must be a dict, got {self.cfg!r}']
        if self.registry is None:
            unknown = [key for key in self.cfg if key not in self.names and key != '_scope_']
            hint = f'its keys are {", ".join(self.names)}'
            return [f"{self.where} takes no '{key}'; {suggest(key, self.names) or hint}" for key in unknown]
        cfg = {key: value for key, value in self.cfg.items() if key not in self.taken}
        if self.default is not None:
            cfg.setdefault('type', self.default)
        if 'type' not in cfg:  # often the name itself is wrong
            question = suggest(self.where.rpartition('.')[2], self.names)
            return [f'{self.where} must be a dict with type=, got {dict(self.cfg)!r}' + (f'; {question}' if question else '')]
        return argument_faults(cfg, self.registry, self.where, self.supplied)


def component_faults(components: Iterable[Component]) -> list[str]:
    """List the faults of components, one sentence each."""
    return [fault for component in components for fault in component.faults()]


def listed(cfg: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a list, or the one dict that stands in its place, with their dotted names."""
    if isinstance(cfg, (list, tuple)):
        yield from ((f'{where}.{index}', entry) for index, entry in enumerate(cfg))
    elif cfg is not None:
        yield where, cfg


def hooks_of(cfg: Mapping) -> Iterator[tuple[str, Any]]:
    """Yield the hooks of a run with their dotted names."""
    yield from ((f'default_hooks.{name}', hook) for name, hook in (cfg.get('default_hooks') or {}).items())
    yield from listed(cfg.get('custom_hooks'), 'custom_hooks')


def run_components(cfg: Mapping) -> Iterator[Component]:
    """Yield all components of a run but its model: loops, optimiser, schedules, loaders, evaluators, hooks, environment."""
    yield from _loops(cfg)
    yield from _optimiser(cfg)
    for split in ('train', 'val', 'test'):
        yield from _loader(cfg.get(f'{split}_dataloader'), f'{split}_dataloader')
    for split in ('val', 'test'):
        yield from _evaluator(cfg.get(f'{split}_evaluator'), f'{split}_evaluator')
    hooks = cfg.get('default_hooks') or {}
    if not isinstance(hooks, Mapping):
        yield Component('default_hooks', hooks)
        hooks = {}
    for name, hook in hooks.items():
        if hook is not None:
            beside = [other for other in hooks if other != name]
            yield Component(f'default_hooks.{name}', hook, known.HOOKS, names=beside)
    for where, hook in listed(cfg.get('custom_hooks'), 'custom_hooks'):
        yield Component(where, hook, known.HOOKS)
    yield from _environment(cfg)


def _loops(cfg: Mapping) -> Iterator[Component]:
    train = cfg.get('train_cfg')
    if train is not None:
        by_epoch = not isinstance(train, Mapping) or train.get('by_epoch', True)
        default = 'EpochBasedTrainLoop' if by_epoch else 'IterBasedTrainLoop'
        yield Component('train_cfg', train, known.LOOPS, default, ('runner', 'dataloader'), ('by_epoch',))
    for name, default in (('val_cfg', 'ValLoop'), ('test_cfg', 'TestLoop')):
        if cfg.get(name) is not None:
            yield Component(name, cfg[name], known.LOOPS, default, ('runner', 'dataloader', 'evaluator'))


def _optimiser(cfg: Mapping) -> Iterator[Component]:
    wrapper = cfg.get('optim_wrapper')
    if isinstance(wrapper, Mapping):
        taken = ('constructor', 'paramwise_cfg')
        if wrapper.get('constructor', DefaultOptimWrapperConstructor.__name__) == DefaultOptimWrapperConstructor.__name__:
            yield Component('optim_wrapper', wrapper, known.OPTIM_WRAPPERS, OptimWrapper.__name__, (), taken)
            if wrapper.get('optimizer') is not None:
                yield Component('optim_wrapper.optimizer', wrapper['optimizer'], known.OPTIMIZERS, None, ('params',))
            if wrapper.get('paramwise_cfg') is not None:
                yield Component('optim_wrapper.paramwise_cfg', wrapper['paramwise_cfg'], names=PARAMWISE)
        clip = wrapper.get('clip_grad')
        if clip is not None:
            by_value = isinstance(clip, Mapping) and clip.get('type') == 'value'
            arguments = accepted_arguments(clip_grad_value_ if by_value else clip_grad_norm_)
            yield Component('optim_wrapper.clip_grad', clip, names=('type', *arguments.names[1:]))
    elif wrapper is not None:
        yield Component('optim_wrapper', wrapper)
    for where, scheduler in listed(cfg.get('param_scheduler'), 'param_scheduler'):
        yield Component(where, scheduler, known.PARAM_SCHEDULERS, None, ('optimizer', 'param_name', 'epoch_length'))


def _loader(loader: Any, where: str) -> Iterator[Component]:
    if loader is None:
        return
    names = {*accepted_arguments(DataLoader).names, *LOADER_KEYS}
    yield Component(where, loader, names=sorted(names))
    if not isinstance(loader, Mapping):
        return
    if loader.get('dataset') is not None:
        yield from _dataset(loader['dataset'], f'{where}.dataset')
    for key, supplied in (('sampler', ('dataset', 'seed')), ('batch_sampler', ('sampler', 'batch_size'))):
        if loader.get(key) is not None:
            yield Component(f'{where}.{key}', loader[key], known.DATA_SAMPLERS, None, supplied)
    started = ('worker_id', 'num_workers', 'rank', 'seed', 'disable_subprocess_warning')
    for name, given in (('collate_fn', ('data_batch',)), ('worker_init_fn', started)):
        if loader.get(name) is not None:
            yield Component(f'{where}.{name}', loader[name], known.FUNCTIONS, None, given)


def _dataset(dataset: Any, where: str) -> Iterator[Component]:
    yield Component(where, dataset, known.DATASETS)
    if not isinstance(dataset, Mapping):
        return
    if dataset.get('reader') is not None:
        yield Component(f'{where}.reader', dataset['reader'], known.TASK_UTILS)
    for key in ('augment', 'pipeline'):
        for name, transform in listed(dataset.get(key), f'{where}.{key}'):
            yield Component(name, transform, known.TRANSFORMS)
    subjects = dataset.get('subjects')
    if isinstance(subjects, Mapping) and 'type' in subjects:
        yield Component(f'{where}.subjects', subjects, known.TASK_UTILS)
    elif subjects is not None:
        yield Component(f'{where}.subjects', subjects, names=('train', 'val', 'test'))


def _evaluator(evaluator: Any, where: str) -> Iterator[Component]:
    if isinstance(evaluator, Mapping) and 'metrics' in evaluator:
        yield Component(where, evaluator, known.EVALUATORS, 'Evaluator')
        evaluator, where = evaluator['metrics'], f'{where}.metrics'
    for name, metric in listed(evaluator, where):
        yield Component(name, metric, known.METRICS)


def _environment(cfg: Mapping) -> Iterator[Component]:
    visualizer = cfg.get('visualizer')
    if visualizer is not None:
        yield Component('visualizer', visualizer, known.VISUALIZERS, None, ('name', 'save_dir'))
        backends = visualizer.get('vis_backends') if isinstance(visualizer, Mapping) else None
        for where, backend in listed(backends, 'visualizer.vis_backends'):
            yield Component(where, backend, known.VISBACKENDS, None, ('save_dir',))
    if cfg.get('log_processor') is not None:
        yield Component('log_processor', cfg['log_processor'], known.LOG_PROCESSORS, 'LogProcessor')
    randomness = tuple(inspect.signature(Runner.set_randomness).parameters)[1:]
    processing = tuple(inspect.signature(set_multi_processing).parameters)
    for where, names in (
        ('randomness', randomness),
        ('env_cfg', ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit')),
        ('env_cfg.mp_cfg', tuple(name for name in processing if name != 'distributed')),
        ('auto_scale_lr', ('enable', 'base_batch_size')),
    ):
        value = cfg.get(where.partition('.')[0])
        for key in where.split('.')[1:]:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            yield Component(where, value, names=names)
