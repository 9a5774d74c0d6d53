"""What every public function of :mod:`mmkd_plugin.functional` owes: one value whatever the strides, and finite numbers."""

import numpy as np
import pytest
import torch

from mmkd_plugin import functional

IMAGE = dict(image_size=4, birth_range=(-3, 3), persistence_range=(0, 4), sigma=0.5)


def tensor(*shape):
    return torch.randn(*shape)


def positive(*shape):
    return torch.rand(*shape) + 0.1


def distribution(*shape):
    return torch.randn(*shape).softmax(-1)


def labels(n=6, classes=5):
    return torch.randint(classes, (n,))


def signal(*shape):
    return torch.randn(*shape).numpy()


def responses():
    return tensor(6, 5), tensor(6, 5)


def maps(channels=4):
    return tensor(6, channels, 5, 8), tensor(6, channels, 5, 8)


# For each function its arguments, as tensors or arrays, and its options.
CALLS = {
    'absolute_error': (maps, {}),
    'activation_map_distance': (lambda: (*maps(5), labels()), dict(size=2, normalize=True)),
    'angle_distance': (lambda: (tensor(6, 4, 5), tensor(6, 7)), {}),
    'attention_distance': (maps, {}),
    'batch_consistency': (lambda: (tensor(6, 6),), {}),
    'batch_contrast': (lambda: (tensor(6, 6),), {}),
    'correlation_distance': (responses, dict(tau=4.0)),
    'cosine_distance': (maps, {}),
    'decoupled_kl': (lambda: (*responses(), labels()), dict(tau=4.0)),
    'frequency_attention': (lambda: (tensor(2, 3, 6, 4), torch.randn(3, 2, 6, 4, dtype=torch.complex64)), {}),
    'gramian_angular_field': (lambda: (signal(3, 2, 12),), dict(image_size=4)),
    'gramian_angular_field_on_device': (lambda: (tensor(3, 2, 12),), dict(image_size=4)),
    'half_spectrum': (lambda: (torch.randn(3, 2, 6, 4, dtype=torch.complex64),), {}),
    'high_pass_mask': (lambda: (), dict(space=(6, 4), cutoff=0.5)),
    'joint_evidence': (lambda: (distribution(6, 7), tensor(6, 5, 8)), {}),
    'neighbour_scores': (lambda: maps(), dict(groups=2, kernel_size=3)),
    'neighbour_sum': (lambda: (tensor(6, 2, 9, 5, 8), tensor(6, 4, 5, 8)), dict(kernel_size=3)),
    'noise_contrast': (
        lambda: (tensor(6, 9), torch.randint(9, (6,)), torch.rand(6, 9) < 0.5, torch.tensor(2.0)),
        {},
    ),
    'pair_distance': (lambda: (tensor(6, 4, 5), tensor(6, 7)), {}),
    'persistence_image': (lambda: (np.sort(signal(3, 5, 2), -1),), IMAGE),
    'pyramid_error': (maps, {}),
    'row_distance': (lambda: (tensor(6, 6), tensor(6, 6)), {}),
    'signal_to_persistence_image': (lambda: (signal(3, 2, 12),), IMAGE),
    'signal_to_persistence_image_on_device': (lambda: (tensor(3, 2, 12),), IMAGE),
    'similarity_distance': (lambda: (tensor(6, 4, 5), tensor(6, 7)), {}),
    'similarity_map': (lambda: (tensor(6, 4, 5),), {}),
    'softened_kl': (responses, dict(tau=4.0)),
    'spectral_mix': (
        lambda: (tensor(2, 3, 6, 4), torch.randn(18, 3, 2, dtype=torch.complex64), tensor(2)),
        {},
    ),
    'squared_error': (maps, {}),
    'sublevel_persistence': (lambda: (signal(3, 12),), {}),
    'sublevel_persistence_on_device': (lambda: (tensor(3, 12),), {}),
    'temporal_attention': (lambda: (tensor(6, 4, 7),), {}),
    'temporal_evidence': (lambda: (distribution(6, 7), tensor(6, 5, 8)), {}),
    'time_marginal': (lambda: (positive(6, 5, 8),), dict(length=7)),
}


def test_every_public_function_is_called_here():
    assert sorted(CALLS) == sorted(functional.__all__)


def transposed(x):
    """Keep the values, with the axes of memory in reverse order."""
    return (
        x.T.copy().T
        if isinstance(x, np.ndarray)
        else x.permute(*range(x.ndim)[::-1]).contiguous().permute(*range(x.ndim)[::-1])
    )


def sliced(x):
    """Keep the values, as every second number of a larger memory."""
    wide = np.repeat(x, 2, -1) if isinstance(x, np.ndarray) else x.repeat_interleave(2, -1)
    return wide[..., ::2]


def channels_last(x):
    """Keep the values, channels_last where x is an image; arrays are read backwards."""
    if isinstance(x, np.ndarray):
        return np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x.clone()


def flat(result):
    if isinstance(result, (list, tuple)):
        return [part for each in result for part in flat(each)]
    return [torch.as_tensor(result)]


@pytest.mark.parametrize('change', [transposed, sliced, channels_last])
@pytest.mark.parametrize('name', CALLS)
def test_strides_make_no_difference(name, change):
    torch.manual_seed(0)
    build, options = CALLS[name]
    function, arguments = getattr(functional, name), build()
    strided = [change(x) if x.ndim else x for x in arguments]
    for value, expected in zip(flat(function(*strided, **options)), flat(function(*arguments, **options)), strict=True):
        torch.testing.assert_close(value, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize('name', CALLS)
def test_expanded_arguments_make_no_difference(name):
    """All samples are one sample, whose memory is read again and again."""
    torch.manual_seed(0)
    build, options = CALLS[name]
    function, arguments = getattr(functional, name), build()
    expand = [
        np.broadcast_to(x[:1], x.shape) if isinstance(x, np.ndarray) else x[:1].expand(x.shape) if x.ndim else x
        for x in arguments
    ]
    whole = [x.copy() if isinstance(x, np.ndarray) else x.clone(memory_format=torch.contiguous_format) for x in expand]
    for value, expected in zip(flat(function(*expand, **options)), flat(function(*whole, **options)), strict=True):
        torch.testing.assert_close(value, expected, atol=1e-6, rtol=1e-5)
