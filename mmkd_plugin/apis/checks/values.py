"""Values of arguments: of the kind that a class says, and such that its object can be made and used once."""

from __future__ import annotations

import inspect
import multiprocessing
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import torch
from mmengine.hooks import EMAHook
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.runner import get_priority
from torch import nn
from torch.utils.data import DataLoader

from mmkd_plugin import registry as known
from mmkd_plugin.registry import find_type

from .components import Component, hooks_of, listed, run_components
from .model import CAUGHT, describe

__all__ = ['value_faults']

SEEDS = 2**32  # numpy's generators take smaller ones
MANY: dict[Any, str] = {int: 'whole numbers', float: 'numbers', str: 'texts', tuple: 'lists', list: 'lists'}
KNOWN = ('mmengine', 'mmpretrain', 'mmkd_plugin')
LOADER_OPTIONS = ('num_workers', 'persistent_workers', 'prefetch_factor', 'timeout', 'pin_memory')


def value_faults(cfg: Mapping) -> list[str]:
    """List values that would be found wrong only while a run goes on, at times at its end.

    Args:
        cfg (Mapping): Of a run whose components have no unknown argument.

    Returns:
        list[str]: One sentence for each fault.
    """
    faults = [fault for component in run_components(cfg) for fault in _kinds(component)]
    faults += _environment_faults(cfg)
    if not faults:
        faults = [*_optimiser_faults(cfg), *_loader_faults(cfg), *_hook_faults(cfg)]
    return faults


def _kinds(component: Component) -> list[str]:
    """Compare each argument with the annotation of the class."""
    if not isinstance(component.cfg, Mapping) or component.registry in (known.METRICS, known.DATASETS):
        return []  # metrics are run; data sets are built
    target: Callable | None = None
    if component.registry is not None:
        target = find_type(component.registry, component.cfg.get('type', component.default))
    elif component.where.endswith('_dataloader'):
        target = DataLoader
    hints = _hints(target) if target is not None else {}
    return [
        f'{component.where}.{name} must be {_spell(hints[name])}, got {value!r}'
        for name, value in component.cfg.items()
        if name in hints and not _fits(value, hints[name])
    ]


def _hints(target: Callable) -> dict[str, Any]:
    """Return the annotations of a constructor's arguments, those that it passes on to its bases included."""
    hints: dict[str, Any] = {}
    functions = [vars(cls).get('__init__') for cls in target.__mro__] if inspect.isclass(target) else [target]
    for function in [each for each in functions if inspect.isfunction(each)]:
        try:
            resolved = get_type_hints(function)
        except Exception:  # noqa: BLE001, S112 - an annotation that only a type checker can read
            continue
        defaults = {name: p.default for name, p in inspect.signature(function).parameters.items()}
        switches = {name: bool for name, default in defaults.items() if isinstance(default, bool)}
        hints = {**switches, **resolved, **hints}
    return hints


def _fits(value: Any, hint: Any) -> bool:
    """Return whether a value of a config is of a kind; kinds that a config cannot hold fit everything."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in arguments)
    if origin is Literal:
        return value in arguments
    kind = origin or hint
    if kind is type(None):
        return value is None
    if kind in (int, float):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    if kind is bool:
        return isinstance(value, bool)
    if kind in (str, Path):
        return isinstance(value, (str, Path))
    if inspect.isclass(kind) and issubclass(kind, Mapping):
        return isinstance(value, Mapping)
    if inspect.isclass(kind) and issubclass(kind, Sequence):
        if not isinstance(value, (list, tuple)):
            return False
        if kind is tuple and arguments and arguments[-1] is not Ellipsis:
            return len(value) == len(arguments) and all(map(_fits, value, arguments))
        return not arguments or all(_fits(each, arguments[0]) for each in value)
    return True


def _plain(arguments: tuple) -> bool:
    return bool(arguments) and (get_origin(arguments[0]) or arguments[0]) in MANY


def _spell(hint: Any) -> str:
    """Return a kind in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    words: dict[Any, str] = {
        int: 'a whole number',
        float: 'a number',
        bool: 'True or False',
        str: 'a text',
        Path: 'a path',
        type(None): 'None',
    }
    if origin in (Union, types.UnionType):
        return ' or '.join(dict.fromkeys(_spell(each) for each in arguments))
    if origin is Literal:
        return ' or '.join(map(repr, arguments))
    kind = origin or hint
    if kind in words:
        return words[kind]
    if inspect.isclass(kind) and issubclass(kind, Mapping):
        return 'a dict'
    if inspect.isclass(kind) and issubclass(kind, Sequence):
        return 'a list' + (f' of {MANY[get_origin(arguments[0]) or arguments[0]]}' if _plain(arguments) else '')
    return str(getattr(kind, '__name__', kind))


def _environment_faults(cfg: Mapping) -> list[str]:
    """Check seed, processes, and the numbers of the log."""
    faults = []
    randomness = cfg.get('randomness') or {}
    seed = randomness.get('seed')
    if seed is not None and not (isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < SEEDS):
        faults.append(f'randomness.seed must be a whole number from 0 to {SEEDS - 1}, got {seed!r}')
    for name in ('deterministic', 'diff_rank_seed'):
        if not isinstance(randomness.get(name, False), bool):
            faults.append(f'randomness.{name} must be True or False, got {randomness[name]!r}')
    processes = (cfg.get('env_cfg') or {}).get('mp_cfg') or {}
    method, threads = processes.get('mp_start_method'), processes.get('opencv_num_threads', 0)
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 0:
        faults.append(f'env_cfg.mp_cfg.opencv_num_threads must be a whole number of at least 0, got {threads!r}')
    methods = multiprocessing.get_all_start_methods()
    if method is not None and method not in methods:
        faults.append(f'env_cfg.mp_cfg.mp_start_method must be one of {", ".join(methods)}, got {method!r}')
    size = (cfg.get('log_processor') or {}).get('window_size', 1)
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        faults.append(f'log_processor.window_size must be a whole number of at least 1, got {size!r}')
    scale = cfg.get('auto_scale_lr') or {}
    base = scale.get('base_batch_size', 1)
    if not isinstance(base, int) or isinstance(base, bool) or base < 1:
        faults.append(f'auto_scale_lr.base_batch_size must be a whole number of at least 1, got {base!r}')
    if scale.get('enable') and 'base_batch_size' not in scale:
        faults.append('auto_scale_lr.enable needs auto_scale_lr.base_batch_size, the batch size that the learning rate is for')
    return faults


def _optimiser_faults(cfg: Mapping) -> list[str]:
    """Make the optimiser of one parameter, its wrapper and its schedules, and take a step of each."""
    wrapper = cfg.get('optim_wrapper')
    constructor = DefaultOptimWrapperConstructor.__name__
    if not isinstance(wrapper, Mapping) or wrapper.get('constructor', constructor) != constructor:
        return []
    if wrapper.get('optimizer') is None or wrapper.get('type') == 'AmpOptimWrapper':  # its parts are known to the host alone
        return []
    clip = wrapper.get('clip_grad') or {}
    for name in ('max_norm', 'clip_value'):
        if name in clip and not (isinstance(clip[name], (int, float)) and clip[name] > 0):
            return [f'optim_wrapper.clip_grad.{name} must be a number above 0, got {clip[name]!r}']
    parameter = nn.Parameter(torch.zeros(1))
    try:
        optimizer = known.OPTIMIZERS.build(dict(wrapper['optimizer']), default_args=dict(params=[parameter]))
    except CAUGHT as error:
        return [f'optim_wrapper.optimizer: {describe(error)}']
    rest = {key: value for key, value in wrapper.items() if key not in ('optimizer', 'constructor', 'paramwise_cfg')}
    try:
        built = known.OPTIM_WRAPPERS.build({'type': 'OptimWrapper', **rest}, default_args=dict(optimizer=optimizer))
        built.update_params(parameter.sum())
    except CAUGHT as error:
        return [f'optim_wrapper: {describe(error)}']
    faults = []
    for where, scheduler in listed(cfg.get('param_scheduler'), 'param_scheduler'):
        faults += _scheduler_faults(where, scheduler, built, cfg.get('train_cfg') or {})
    return faults


def _scheduler_faults(where: str, scheduler: Mapping, wrapper: Any, train: Mapping) -> list[str]:
    options = dict(scheduler)
    by_epoch, length = options.get('by_epoch', True), train.get('max_epochs')
    begin = options.get('begin', 0)
    if by_epoch and isinstance(length, int) and isinstance(begin, int) and begin >= length:
        return [f'{where}.begin is {begin}, beyond the run: train_cfg.max_epochs is {length}']
    convert = options.pop('convert_to_iter_based', False)
    kind: Any = find_type(known.PARAM_SCHEDULERS, options.pop('type', None))
    try:
        make, more = (kind.build_iter_from_epoch, dict(epoch_length=2)) if convert and by_epoch else (kind, {})
        built = make(optimizer=wrapper, **options, **more)
        for _ in range(3):
            wrapper.step()
            built.step()
    except (*CAUGHT, ArithmeticError, AttributeError) as error:
        return [f'{where}: {describe(error)}']
    return []


def _loader_faults(cfg: Mapping) -> list[str]:
    """Make the loaders over two numbers; no worker starts."""
    faults = []
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader') or {}
        options = {name: loader[name] for name in LOADER_OPTIONS if name in loader}
        try:
            DataLoader([0, 1], **options)  # type: ignore[arg-type]
        except CAUGHT as error:
            faults.append(f'{split}_dataloader: {describe(error)}')
    return faults


def _average_faults(where: str, hook: EMAHook, cfg: Mapping) -> list[str]:
    """Make the moving average of one weight, and see that the run is long enough for it."""
    length = (cfg.get('train_cfg') or {}).get('max_epochs')
    if isinstance(length, int) and hook.begin_epoch > length:
        return [f'{where}.begin_epoch is {hook.begin_epoch}, beyond the run: train_cfg.max_epochs is {length}']
    try:
        known.MODELS.build(dict(hook.ema_cfg), default_args=dict(model=nn.Linear(1, 1)))
    except CAUGHT as error:
        return [f'{where}: {describe(error)}']
    return []


def _hook_faults(cfg: Mapping) -> list[str]:
    """Make the hooks and what writes the log."""
    faults = []
    for where, hook in hooks_of(cfg):
        kind = find_type(known.HOOKS, hook.get('type')) if isinstance(hook, Mapping) else None
        if kind is None or kind.__module__.partition('.')[0] not in KNOWN:  # another's may do more than to keep its arguments
            continue
        try:
            options = dict(hook)
            get_priority(options.pop('priority', 'NORMAL'))
            built = known.HOOKS.build(options)
            faults += _average_faults(where, built, cfg) if isinstance(built, EMAHook) else []
        except RuntimeError:  # the hook needs what only a runner has
            continue
        except (AssertionError, ImportError, KeyError, TypeError, ValueError) as error:
            faults.append(f'{where}: {describe(error)}')
    if cfg.get('log_processor') is not None:
        try:
            known.LOG_PROCESSORS.build({'type': 'LogProcessor', **cfg['log_processor']})
        except CAUGHT as error:
            faults.append(f'log_processor: {describe(error)}')
    return faults
