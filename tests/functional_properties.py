"""The properties that every public function of :mod:`mmkd_plugin.functional` has by its formula, as data."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from property_kinds import LABEL, Along, Properties, Scaling, Shift
from torch import Tensor

__all__ = ['PROPERTIES']


def around(x: Tensor, k: int) -> Tensor:
    """Return the neighbours of every position, ``(N, C, H, W)`` to ``(N, C, k², H, W)``."""
    return F.unfold(x, k, padding=k // 2).view(*x.shape[:2], k * k, *x.shape[2:])


def plain_scores(query: Tensor, key: Tensor, groups: int, kernel_size: int) -> Tensor:
    return (query[:, :, None] * around(key, kernel_size)).unflatten(1, (groups, -1)).sum(2)


def plain_sum(weights: Tensor, value: Tensor, kernel_size: int) -> Tensor:
    each = value.shape[1] // weights.shape[1]
    return (weights.repeat_interleave(each, 1) * around(value, kernel_size)).sum(2)


def plain_mix(x: Tensor, filter: Tensor, bias: Tensor) -> Tensor:
    half = torch.fft.rfftn(x, dim=(2, 3))
    bins = torch.einsum('nchw,hwcd->ndhw', half, filter.unflatten(0, half.shape[2:]))
    return torch.fft.irfftn(bins, s=x.shape[2:], dim=(2, 3)) + bias[:, None, None]


def plain_attention(x: Tensor, filter: Tensor, cutoff: float = 0.1) -> Tensor:
    mask = torch.ones(x.shape[2:], dtype=x.dtype)
    rows, columns = (slice(n // 2 - int(cutoff * (n // 2)), n // 2 + int(cutoff * (n // 2))) for n in x.shape[2:])
    mask[rows, columns] = 0
    mixed = torch.einsum('nchw,cdhw->ndhw', torch.fft.fftn(x, dim=(2, 3)), filter * torch.fft.ifftshift(mask))
    return torch.fft.ifftn(mixed, dim=(2, 3)).real


INFINITE = float('inf')
EACH = ((0,), (0,))  # the first axis of two arguments
OF_TWO = {'samples': Along(EACH, (0,)), 'channels': Along(((1,), (1,)))}
OF_MAPS = {**OF_TWO, 'rows': Along(((2,), (2,))), 'columns': Along(((3,), (3,)))}
OF_SERIES = {'samples': Along(((0,),), (0,)), 'channels': Along(((1,),), (1,))}
OF_SQUARES = {'samples': Along(((0, 1),), (0,))}
EITHER = (Scaling((0,), signed=True), Scaling((1,), signed=True))
ROWS = (Shift((0,), (1,)), Shift((1,), (1,)))  # a number for each sample's logits
BATCH = (Shift((0,), (0,)), Shift((1,), (0,)))  # the same vector for all samples
DISTANCE = dict(distance=True, symmetric=True, bounds=(0, INFINITE), gradients=(0, 1))
WARM = Scaling((0, 1), 2, ('tau',))
SOFTENED = dict(options=dict(tau=(0.5, 1.0, 4.0)), shifts=ROWS, scalings=(WARM,), bounds=(0, INFINITE), gradients=(0, 1))
STRETCH = (Scaling((0,)),)
ALONE = dict(alone=(0,))
BOTH_ENDS = {'reversed time': Along(((2,),), order='reverse')}
ROLLS = {name: Along(((axis,), None, None), (axis,), 'roll') for name, axis in (('rows', 2), ('columns', 3))}


def errors(**more) -> Properties:
    return Properties(**{**dict(along=OF_MAPS, alone=(0, 1), shifts=(Shift((0, 1)),), **DISTANCE), **more})


def relations(**more) -> Properties:
    along = {'samples': Along(EACH, (0,)), 'channels': Along(((1,), None)), 'elements': Along((None, (1,)))}
    return Properties(**{**dict(along=along, scalings=EITHER, **DISTANCE), **more})


def images(*more_axes: dict, **more) -> Properties:
    along = {name: axis for axes in (OF_SERIES, *more_axes) for name, axis in axes.items()}
    return Properties(**{**dict(along=along, alone=(0,)), **more})


PROPERTIES: dict[str, Properties] = {
    'absolute_error': errors(scalings=(Scaling((0, 1), 1, signed=True),)),
    'activation_map_distance': Properties(
        {'samples': Along(((0,), (0,), (0,)), (0,)), 'classes': Along(((1,), (1,), LABEL))},
        alone=(0, 1, 2),
        scalings=(Scaling((0,)), Scaling((1,))),
        **DISTANCE,
    ),
    'angle_distance': relations(shifts=BATCH),
    'attention_distance': Properties(
        {
            **{'samples': Along(EACH, (0,)), 'channels': Along(((1,), None)), "the other's channels": Along((None, (1,)))},
            **{'rows': Along(((2,), (2,))), 'columns': Along(((3,), (3,)))},
        },
        alone=(0, 1),
        scalings=EITHER,
        options=dict(p=(1.0, 2.0, 4.0)),
        **DISTANCE,
    ),
    'batch_consistency': Properties(OF_SQUARES, shifts=(Shift((0,), (0, 1)),), bounds=(0, INFINITE), gradients=(0,)),
    'batch_contrast': Properties(OF_SQUARES, shifts=(Shift((0,), (1,)),), bounds=(0, INFINITE), gradients=(0,)),
    'channel_summary': Properties(
        {'samples': Along(((0,),), (0,)), 'channels': Along(((1,),), (2,))},
        alone=(0,),
        scalings=(Scaling((0,), 1),),
        gradients=(0,),
        view=lambda result: result.unflatten(1, (5, -1)),
    ),
    'close_essential_persistence': images(shifts=(Shift((0,), (2,), moves=True),), gradients=(0,)),
    'correlation_distance': Properties(
        {'samples': Along(EACH, (0,)), 'classes': Along(((1,), (1,)))},
        **{**SOFTENED, 'distance': True, 'symmetric': True},
        least=dict(n=2, k=3),  # a single number is constant, and two have no correlation but 1 and −1
    ),
    'cosine_distance': errors(shifts=(), scalings=(Scaling((0,)), Scaling((1,))), bounds=(0, 2)),
    'curriculum_weights': Properties({'samples': Along(((0,),), (0,))}, alone=(0,), bounds=(0, 1), gradients=(0,)),
    'decoupled_kl': Properties(
        {'samples': Along(((0,), (0,), (0,)), (0,)), 'classes': Along(((1,), (1,), LABEL))},
        alone=(0, 1, 2),
        distance=True,
        least=dict(k=2),
        **SOFTENED,
    ),
    'expert_weights': Properties(
        {'teachers': Along(EACH, (0,))}, alone=(0, 1), scalings=(Scaling((0, 1)),), bounds=(0, 1), gradients=(0, 1)
    ),
    'frequency_attention': Properties(
        {
            **{'samples': Along(((0,), None), (0,)), 'channels': Along(((1,), (0,))), 'results': Along((None, (1,)), (1,))},
            **ROLLS,
        },
        alone=(0,),
        scalings=(Scaling((0,), 1), Scaling((1,), 1)),
        gradients=(0, 1),
        plain=plain_attention,
        options=dict(cutoff=(0.0, 0.4, 1.0)),
    ),
    'gramian_angular_field': images(scalings=STRETCH, shifts=(Shift((0,), (2,)),), bounds=(-1, 1), error=1e-6),
    'gramian_angular_field_on_device': images(scalings=STRETCH, shifts=(Shift((0,), (2,)),), bounds=(-1, 1), error=1e-6),
    'half_spectrum': Properties(
        {'channels': Along(((0,),), (1,)), 'results': Along(((1,),), (2,))},
        scalings=(Scaling((0,), 1),),
        gradients=(0,),
    ),
    'high_pass_mask': Properties({}, bounds=(0, 1), options=dict(variant=('reference', 'strict'), cutoff=(0.0, 0.5, 1.0))),
    'interpolate': images(
        scalings=(Scaling((0,), 1),),
        shifts=(Shift((0,), (2, 3), moves=True),),
        gradients=(0,),
        options=dict(mode=('area', 'linear', 'nearest')),
    ),
    'joint_evidence': Properties(
        {
            **{'samples': Along(EACH, (0,)), 'times': Along(((1,), None), (1,))},
            **{'rows': Along((None, (1,)), (2,)), 'columns': Along((None, (2,)), (3,))},
        },
        alone=(0, 1),
        scalings=(Scaling((1,)),),
        bounds=(0, INFINITE),
        total=((1, 2, 3), lambda attention, cam: attention.shape[1]),
        gradients=(0, 1),
    ),
    'markov_transition_field': images(scalings=STRETCH, shifts=(Shift((0,), (2,)),), bounds=(0, 1)),
    'minimum_norm_weights': Properties(
        {'teachers': Along(((0, 1),), (0,))},
        scalings=STRETCH,
        bounds=(0, 1),
        total=((0,), 1),
        double=True,
        error=1e-3,  # the square root of what the iteration leaves
    ),
    'neighbour_scores': Properties(
        {'samples': Along(EACH, (0,))},
        alone=(0, 1),
        scalings=(Scaling((0,), 1), Scaling((1,), 1)),
        gradients=(0, 1),
        plain=plain_scores,
        options=dict(kernel_size=(1, 3, 5)),
    ),
    'neighbour_sum': Properties(
        {'samples': Along(EACH, (0,))},
        alone=(0, 1),
        scalings=(Scaling((0,), 1), Scaling((1,), 1)),
        gradients=(0, 1),
        plain=plain_sum,
    ),
    'noise_contrast': Properties(
        {'samples': Along(((0,), (0,), (0,), None), (0,)), 'memory bank': Along(((1,), LABEL, (1,), None))},
        alone=(0, 1, 2),
        bounds=(0, INFINITE),
        gradients=(0, 3),
        largest=50.0,  # a cosine over the least temperature in use; its exponential is a number
    ),
    'pair_distance': relations(shifts=BATCH),
    'persistence_image': Properties(
        {'samples': Along(((0,),), (0,)), 'pairs': Along(((1,),))},
        alone=(0,),
        bounds=(0, INFINITE),
        options=dict(weight=('persistence', 'uniform'), convention=('integral', 'sampled')),
        double=True,
    ),
    'pyramid_error': errors(along=OF_TWO, scalings=(Scaling((0, 1), 2, signed=True),)),
    'recurrence_plot': images(
        scalings=(Scaling((0,), 1, signed=True),), shifts=(Shift((0,), (2,)),), bounds=(0, INFINITE), error=1e-6
    ),
    'row_distance': Properties(
        {'samples': Along(((0, 1), (0, 1)), (0,))},
        scalings=(Scaling((0, 1), 2, signed=True),),
        shifts=(Shift((0, 1)),),
        **DISTANCE,
    ),
    'scalogram': images(scalings=(Scaling((0,), 1, signed=True),), bounds=(0, INFINITE), error=1e-6),
    'signal_to_persistence_image': images(BOTH_ENDS, bounds=(0, INFINITE), error=1e-6),
    'signal_to_persistence_image_on_device': images(BOTH_ENDS, bounds=(0, INFINITE)),
    'similarity_distance': relations(),
    'similarity_map': Properties(
        {'samples': Along(((0,),), (0, 1)), 'channels': Along(((1,),))},
        scalings=(Scaling((0,), signed=True),),
        bounds=(-1, 1),
        gradients=(0,),
    ),
    'softened_kl': Properties(
        {'samples': Along(EACH, (0,)), 'classes': Along(((1,), (1,)))}, alone=(0, 1), distance=True, **SOFTENED
    ),
    'spectral_mix': Properties(
        {
            'samples': Along(((0,), None, None), (0,)),
            'channels': Along(((1,), (1,), None)),
            'results': Along((None, (2,), (0,)), (1,)),
            **ROLLS,
        },
        alone=(0,),
        scalings=(Scaling((0, 2), 1), Scaling((1, 2), 1)),
        gradients=(0, 1, 2),
        plain=plain_mix,
    ),
    'spectrogram': images(scalings=(Scaling((0,), 1, signed=True),), bounds=(0, INFINITE)),
    'squared_error': errors(scalings=(Scaling((0, 1), 2, signed=True),)),
    'standardized': Properties(
        {'samples': Along(((0,),), (0,)), 'classes': Along(((1,),), (1,))},
        alone=(0,),
        scalings=STRETCH,
        shifts=(Shift((0,), (1,)),),
        total=((1,), 0),
        gradients=(0,),
        options=dict(variant=('paper', 'reference')),
        least=dict(k=2),
    ),
    'sublevel_persistence': Properties(
        {'samples': Along(((0,),), (0,)), 'reversed time': Along(((1,),), order='reverse')},
        alone=(0,),
        scalings=(Scaling((0,), 1),),
        double=True,
        view=lambda diagrams: [torch.tensor(sorted(map(tuple, d)), dtype=torch.float64).view(-1, 2) for d in diagrams],
    ),
    'sublevel_persistence_on_device': Properties(
        {'samples': Along(((0,),), (1,)), 'reversed time': Along(((1,),), (2,), 'reverse')},
        alone=(0,),
        scalings=(Scaling((0,), 1),),
        finite=False,  # what is born at the lowest sample never dies
        view=lambda pairs: torch.stack(pairs),
    ),
    'temporal_attention': Properties(
        {'samples': Along(((0,),), (0,)), 'channels': Along(((1,),)), 'times': Along(((2,),), (1,))},
        alone=(0,),
        scalings=(Scaling((0,), signed=True),),
        bounds=(0, 1),
        total=((1,), 1),
        gradients=(0,),
        options=dict(p=(1.0, 2.0, 4.0)),
    ),
    'temporal_evidence': Properties(
        {'samples': Along(EACH, (0,))},
        alone=(0, 1),
        scalings=(Scaling((1,)),),
        bounds=(0, 1),
        total=((1,), 1),
        gradients=(0, 1),
    ),
    'time_marginal': Properties(
        {'samples': Along(((0,),), (0,))},
        alone=(0,),
        scalings=STRETCH,
        bounds=(0, 1),
        total=((1,), 1),
        gradients=(0,),
    ),
}
