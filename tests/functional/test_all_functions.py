"""What every public function of :mod:`mmkd_plugin.functional` owes: one value whatever the strides, and finite numbers."""

import warnings

import numpy as np
import pytest
import torch
from functional_calls import CALLS, arguments_of

from mmkd_plugin import functional


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
    function, (arguments, options) = getattr(functional, name), arguments_of(name)
    strided = [change(x) if x.ndim else x for x in arguments]
    for value, expected in zip(flat(function(*strided, **options)), flat(function(*arguments, **options)), strict=True):
        assert torch.equal(value, expected)


@pytest.mark.parametrize('name', CALLS)
def test_nothing_is_warned_of(name):
    """As of a dimension that torch has to guess."""
    arguments, options = arguments_of(name)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        getattr(functional, name)(*arguments, **options)


@pytest.mark.parametrize('name', CALLS)
def test_expanded_arguments_make_no_difference(name):
    """All samples are one sample, whose memory is read again and again."""
    function, (arguments, options) = getattr(functional, name), arguments_of(name)
    expand = [
        np.broadcast_to(x[:1], x.shape) if isinstance(x, np.ndarray) else x[:1].expand(x.shape) if x.ndim else x
        for x in arguments
    ]
    whole = [x.copy() if isinstance(x, np.ndarray) else x.clone(memory_format=torch.contiguous_format) for x in expand]
    for value, expected in zip(flat(function(*expand, **options)), flat(function(*whole, **options)), strict=True):
        assert torch.equal(value, expected)


# Functions whose first one or two arguments come out of networks.
DISTANCES = sorted(
    set(CALLS)
    - {name for name in CALLS if 'spectr' in name or 'persistence' in name or 'gramian' in name or 'neighbour' in name}
    - {'frequency_attention', 'high_pass_mask', 'interpolate'}
    - {name for name in CALLS if name.endswith('weights')}
    - {'frequency_attention', 'high_pass_mask', 'markov_transition_field', 'recurrence_plot', 'scalogram'}
)
SQUARE = ('batch_consistency', 'batch_contrast', 'row_distance')  # of batch by batch


def constant_rows(x):
    return torch.full_like(x, 0.3)


def coincident(x):
    return x[:1].expand(x.shape).clone()


def one_sample(x):
    return x[:1]


def saturated(x):
    return 50 * x.sign()


DEGENERATE = [constant_rows, torch.zeros_like, coincident, one_sample, saturated]


def degenerate(name, change):
    arguments, options = arguments_of(name)
    for index, x in enumerate(arguments):
        if change is one_sample and x.ndim:
            arguments[index] = x[:1, :1] if name in SQUARE else x[:1]
        elif x.is_floating_point() and x.ndim and not (name.endswith('evidence') and index == 0):
            arguments[index] = change(x)
            if name == 'time_marginal':
                arguments[index] = arguments[index].abs()
        elif x.dtype == torch.int64:
            arguments[index] = torch.zeros_like(x)  # all other classes are absent from the batch
    return arguments, options


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize('change', DEGENERATE, ids=lambda f: f.__name__)
@pytest.mark.parametrize('name', DISTANCES)
def test_degenerate_batches_have_finite_values_and_gradients(name, change, dtype):
    arguments, options = degenerate(name, change)
    for only_student in (True, False):
        changed = [x.to(dtype) if x.is_floating_point() else x for x in arguments]
        if only_student:
            regular = degenerate(name, lambda x: x)[0]
            changed[1:] = [
                r[: len(x)].to(x.dtype) if x.ndim and name not in SQUARE else x for x, r in zip(changed[1:], regular[1:])
            ]
        leaves = [x.requires_grad_() for x in changed if x.is_floating_point() and x.ndim]
        value = getattr(functional, name)(*changed, **options)
        assert value.dtype == torch.float32
        assert value.isfinite().all()
        for gradient in torch.autograd.grad(value.sum(), leaves):
            assert gradient.abs().max() < 1e4


@pytest.mark.parametrize('name', DISTANCES)
def test_half_precision_is_computed_in_float32(name):
    function, (arguments, options) = getattr(functional, name), arguments_of(name)
    half = [x.half() if x.is_floating_point() else x for x in arguments]
    exact = function(*[x.float() if x.is_floating_point() else x for x in half], **options)
    assert torch.equal(function(*half, **options), exact)
    plain = function(*arguments, **options)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(function(*arguments, **options), plain)
        assert torch.equal(function(*half, **options), exact)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16], ids=str)
def test_gram_matrices_beyond_the_range_of_half_precision(dtype):
    feature = torch.full((2, 64), 50.0, dtype=dtype)  # products of 160,000; the largest float16 is 65,504
    feature[1, ::2] = -50
    expected = torch.eye(2)
    assert torch.equal(functional.similarity_map(feature), expected)
    assert functional.similarity_distance(feature, feature.flip(0)).tolist() == [0, 0]
    with torch.autocast('cpu', dtype=dtype):
        assert torch.equal(functional.similarity_map(feature.float()), expected)


def test_a_constant_response_has_correlation_0_and_no_gradient():
    """The bare formula has a gradient of 7e5 at a row that is constant up to rounding."""
    student = torch.randn(6, 7)
    student[2] = 0.1
    student.requires_grad_()
    value = functional.correlation_distance(student, torch.randn(6, 7), tau=4.0, gamma=0.0)
    (gradient,) = torch.autograd.grad(value.sum(), student)
    assert value[2] == 16
    assert not gradient[2].any()
    assert (gradient[[0, 1, 3, 4, 5]].abs().amax(1) > 0).all()


def test_points_that_coincide_have_no_angle_and_no_gradient_between_them():
    student = torch.randn(5, 3)
    student[1] = student[0]
    student.requires_grad_()
    value = functional.angle_distance(student, torch.randn(5, 3))
    (gradient,) = torch.autograd.grad(value.sum(), student)
    assert value.isfinite().all()
    assert gradient.abs().max() < 10


def test_shapes_can_be_asked_for_without_values():
    x = torch.empty(6, 4, 5, device='meta')
    assert functional.squared_error(x, x).shape == (6,)


@pytest.mark.parametrize('name', ['markov_transition_field', 'recurrence_plot', 'scalogram', 'spectrogram'])
def test_a_series_alone_is_one_of_many(name):
    (x, *_), options = arguments_of(name)
    one = getattr(functional, name)(x[0] if x.ndim == 2 else x[0, 0], **options)
    many = getattr(functional, name)(x, **options)
    torch.testing.assert_close(one, many[0] if x.ndim == 2 else many[0, 0])
