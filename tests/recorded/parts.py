"""Values and gradients of the parts that methods are made of: functions, views, connectors and weightings of teachers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from functional_calls import CALLS, Sizes
from helpers import CONFIGS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mmkd_plugin import functional
from mmkd_plugin.functional import encodings
from mmkd_plugin.models import connectors, encoders, weightings
from mmkd_plugin.models.connectors import LocalCrossAttention, build_connector
from mmkd_plugin.registry import MODELS

from .drawn import Drawn, fill, uniform

__all__ = ['PRECISIONS', 'missing_parts', 'part_values']

PRECISIONS = (torch.float64, torch.float32)
WHOLE = 8  # numbers up to which a tensor is kept as it is
UNBOUNDED = 5.0  # what stands for an infinite number, whose place is so in the sums
STAGES = (((8, 12, 10), (8, 6, 5)), ((6, 12, 10), (10, 6, 5)))

# For each connector its settings, and the shapes that it leads from and to.
CONNECTORS: dict[str, tuple[Any, Any, Any]] = {
    'BottleneckProjector': (dict(), (8, 12), (6, 12)),
    'Chain': ([dict(type='Lift'), dict(type='ConvConnector'), dict(type='NormReLU')], (8, 12), (6, 9, 9)),
    'ConvConnector': (dict(kernel_size=3), (8, 6, 5), (6, 6, 5)),
    'FrequencyAttention': (dict(), (8, 12, 10), (6, 12, 10)),
    'FrequencyAttention, strict': (dict(variant='strict', cutoff=0.5), (8, 12), (6, 12)),
    'GatedReviewConnector': (dict(), *STAGES),
    'GatedReviewConnector, reference': (dict(variant='reference'), *STAGES),
    **{f'Lift, {mode}': (dict(mode=mode), (8, 12), (8, 9, 7)) for mode in ('outer', 'repeat', 'sum')},
    'LinearConnector': (dict(), (8,), (6,)),
    'NormReLU': (dict(), (8, 6, 5), (8, 6, 5)),
    'PerStage': ([dict(type='ConvConnector')], ((8, 12), (8, 6)), ((6, 12), (10, 6))),
    'Resize': (dict(), (8, 12, 10), (8, 6, 15)),
    'ReviewConnector': (dict(), *STAGES),
    'ReviewConnector, reference': (dict(attention='reference'), *STAGES),
}
ATTENTIONS = {'LocalCrossAttention': {}, 'LocalCrossAttention, reference': dict(variant='reference')}
BASES = {'Connector', 'Encoder', 'StageReview'}

# For each weighting of three teachers its settings.
WEIGHTINGS: dict[str, dict] = {
    'Confidence': {},
    'Confidence, reference': dict(of='student', variant='reference'),
    'Entropy': {},
    'Entropy, reference': dict(variant='reference'),
    'Fixed': dict(a=0.5, b=0.3, c=0.2),
    'Learned': {},
    'MinimumNorm': {},
    'MinimumNorm, reference': dict(variant='reference'),
    'SelfPaced': {},
    'Uniform': {},
}
# Views beside those of the shipped data.
VIEWS = {
    'mexican hat': dict(type='Scalogram', wavelet='mexh', scales=(1, 2, 5)),
    'quantiles': dict(type='MarkovTransitionField'),
    'share of points': dict(type='RecurrencePlot', dimension=2, threshold='point'),
}


def view_settings() -> dict[str, dict]:
    """Return the settings of views: those of the shipped data, and some more."""
    shipped = Config.fromfile(CONFIGS / '_base_' / 'datasets' / 'zscore_views.py').data_preprocessor.views
    return {**shipped, **VIEWS}


def missing_parts() -> list[str]:
    """Return the functions, views, connectors and weightings that nothing here calls."""
    missing = sorted(set(functional.__all__) - CALLS.keys())
    called = {settings['type'] for settings in view_settings().values()} | BASES
    called |= {name.partition(',')[0] for name in (*CONNECTORS, *ATTENTIONS, *WEIGHTINGS)}
    classes = [name for room in (encoders, connectors, weightings) for name in room.__all__ if name[0].isupper()]
    return missing + sorted(set(classes) - called)


def part_values(only: str = '') -> Iterator[tuple[str, list]]:
    """Yield names and values of all parts, in both precisions: for every output, and for the gradients, a digest.

    Args:
        only (str): What their names have in them; by default all are meant.
    """
    rooms = {
        'functions': (CALLS, _function),
        'views': (view_settings(), _view),
        'connectors': (CONNECTORS, _connector),
        'attentions': (ATTENTIONS, _attention),
        'weightings': (WEIGHTINGS, _weighting),
    }
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        for room, (table, measure) in rooms.items():
            for name, entry in table.items():
                for precision in PRECISIONS if only in f'{room}/{name}' else ():
                    yield f'{room}/{name} ({kind_of(precision)})', measure(name, entry, precision)


def kind_of(dtype: torch.dtype) -> str:
    """Return the name of a type of numbers."""
    return str(dtype).removeprefix('torch.')


def _function(name: str, build: Callable[[Sizes], tuple[tuple, dict]], precision: torch.dtype) -> list:
    # In float64 for both precisions: rounded to float32 before they are combined, arguments would depend on the host.
    with Drawn(name):
        drawn, options = build(Sizes(dtype=torch.float64))
    arguments = [_cast(x, precision) for x in drawn]
    # Nothing learns through an encoding.
    with torch.set_grad_enabled(name not in encodings.__all__):
        return _measure(lambda *x: getattr(functional, name)(*x, **options), arguments)


def _view(name: str, settings: dict, precision: torch.dtype) -> list:
    signal = 2 * uniform('signal', 3, 2, 100).cumsum(2) / 10  # (N, C, T), as smooth as a recording
    return _measure(MODELS.build({**settings}), [signal.to(precision)])


def _connector(name: str, entry: tuple[Any, Any, Any], precision: torch.dtype) -> list:
    settings, shape, goal = entry
    chain = settings if isinstance(settings, list) else [dict(type=name.partition(',')[0], **settings)]
    module, staged = build_connector(chain, shape, goal), isinstance(shape[0], tuple)
    features = [uniform(f'stage {level}', 4, *each) for level, each in enumerate(shape if staged else (shape,))]
    return _measure_module(module, (lambda *x: module(x)) if staged else module, features, precision)


def _attention(name: str, settings: dict, precision: torch.dtype) -> list:
    module = LocalCrossAttention(8, groups=2, **settings)
    return _measure_module(module, module, [uniform(each, 4, 8, 6, 5) for each in ('deep', 'shallow')], precision)


def _weighting(name: str, settings: dict, precision: torch.dtype) -> list:
    kind, labels = name.partition(',')[0], torch.tensor([0, 1, 2, 3, 4, 1])
    module = MODELS.build(dict(type=kind, names=['a', 'b', 'c'], **settings))
    if hasattr(module, 'bind'):
        module.bind([5] * 4)
    if kind == 'SelfPaced':
        module.student_accuracy.copy_(torch.tensor([0.25, 0.5, 0.75]))
        module.teacher_accuracy.copy_(torch.tensor([0.75, 0.75, 1.0]))
    logits = [3 * uniform(f'teacher {t}', 6, 5) for t in range(4 if kind == 'Learned' else 3)]
    return _measure_module(module, lambda *x: module(x, labels), logits, precision)


def _measure_module(module: nn.Module, call: Callable, inputs: list[Tensor], precision: torch.dtype) -> list:
    fill(module.to(precision))
    return _measure(call, [x.to(precision) for x in inputs], list(module.parameters()))


def _cast(x: Any, precision: torch.dtype) -> Any:
    if isinstance(x, np.ndarray):
        return x.astype(kind_of(precision)) if x.dtype.kind == 'f' else x
    if x.is_complex():
        return x.to(torch.complex128 if precision == torch.float64 else torch.complex64)
    return x.to(precision) if x.is_floating_point() else x


def _measure(call: Callable, arguments: Sequence[Any], learned: Sequence[Tensor] = ()) -> list:
    """Return a digest of every output of a call, and one of the norms of the gradients of what can have some."""
    inputs = [x.clone().requires_grad_() if torch.is_grad_enabled() and _differentiable(x) else x for x in arguments]
    outputs = list(_flat(call(*inputs)))
    digests = [digest(x) for x in outputs]
    leaves = [x for x in (*inputs, *learned) if isinstance(x, Tensor) and x.requires_grad]
    sums = [_weighted_sum(x) for x in outputs if x.requires_grad]
    if leaves and sums:
        gradients = torch.autograd.grad(sum(sums), leaves, allow_unused=True, materialize_grads=True)
        digests.append(digest(torch.stack([g.abs().square().sum().sqrt() for g in gradients])))
    return digests


def _weighted_sum(x: Tensor) -> Tensor:
    real = torch.view_as_real(x) if x.is_complex() else x
    return (uniform('gradient', *real.shape) * real).sum()


def _differentiable(x: Any) -> bool:
    return isinstance(x, Tensor) and (x.is_floating_point() or x.is_complex())


def _flat(result: Any) -> Iterator[Tensor]:
    for x in result if isinstance(result, (list, tuple)) else [result]:
        if isinstance(x, (list, tuple)):
            yield from _flat(x)
        else:
            yield torch.as_tensor(x)


def digest(x: Tensor) -> list:
    """Return the type of a tensor and its numbers; of many, the norm and two sums in which every number has its own weight."""
    kind = kind_of(x.dtype)
    x = torch.view_as_real(x) if x.is_complex() else x
    numbers = x.detach().double().flatten().nan_to_num(posinf=UNBOUNDED, neginf=-UNBOUNDED)
    if len(numbers) > WHOLE:
        weights = uniform('digest', len(numbers))
        numbers = torch.stack([numbers.norm(), weights @ numbers, weights.flip(0) @ numbers])
    return [kind, *numbers.tolist()]
