import pytest
import torch
import torch.nn.functional as F

from mmkd_plugin.functional import neighbour_scores, neighbour_sum

SHAPES = [(2, 4, 5, 6), (1, 2, 1, 1), (2, 4, 3, 1), (1, 6, 2, 7)]


def unfolded(x, k):
    """(N, C, k², H, W) by torch's own unfold."""
    return F.unfold(x, k, padding=k // 2).view(*x.shape[:2], k * k, *x.shape[2:])


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('k', [1, 3, 5])
@pytest.mark.parametrize('groups', [1, 2])
def test_scores_and_sums_are_those_of_unfold(shape, k, groups):
    torch.manual_seed(0)
    query, key, value = torch.randn(3, *shape, dtype=torch.float64)
    n, c, h, w = shape
    expected = (query[:, :, None] * unfolded(key, k)).view(n, groups, c // groups, k * k, h, w).sum(2)
    torch.testing.assert_close(neighbour_scores(query, key, groups, k), expected)
    weights = torch.randn(n, groups, k * k, h, w, dtype=torch.float64)
    split = unfolded(value, k).view(n, groups, c // groups, k * k, h, w)
    torch.testing.assert_close(neighbour_sum(weights, value, k), (weights[:, :, None] * split).sum(3).flatten(1, 2))


@pytest.mark.parametrize('shape', SHAPES)
def test_backward_passes_are_the_derivatives(shape):
    torch.manual_seed(0)
    n, _, h, w = shape
    query, key = (torch.randn(shape, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda q, k: neighbour_scores(q, k, 2, 3), (query, key))
    weights = torch.randn(n, 2, 9, h, w, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, v: neighbour_sum(a, v, 3), (weights, key))


def test_other_precisions_go_through_torch_and_agree():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 5, 6).bfloat16()
    scores = neighbour_scores(query, key, 2, 3)
    assert scores.dtype == torch.bfloat16
    torch.testing.assert_close(scores.float(), neighbour_scores(query.float(), key.float(), 2, 3), atol=0.1, rtol=0.05)
    summed = neighbour_sum(scores, value, 3)
    torch.testing.assert_close(summed.float(), neighbour_sum(scores.float(), value.float(), 3), atol=0.5, rtol=0.05)


def test_strided_maps_are_read_right():
    torch.manual_seed(0)
    query, key = (torch.randn(2, 5, 6, 4).permute(0, 3, 1, 2) for _ in range(2))
    torch.testing.assert_close(neighbour_scores(query, key, 2, 3), neighbour_scores(query.contiguous(), key.contiguous(), 2, 3))


def wrong_calls():
    x = torch.randn(2, 4, 5, 6)
    weights = torch.randn(2, 2, 9, 5, 6)
    scores, total = neighbour_scores, neighbour_sum
    return {
        'fewer channels': (scores, (x, x[:, :2], 2, 3), r'query and key .* got \(2, 4, 5, 6\) and \(2, 2, 5, 6\)'),
        'fewer samples': (scores, (x, x[:1], 2, 3), r'got \(2, 4, 5, 6\) and \(1, 4, 5, 6\)'),
        'smaller key': (scores, (x, x[..., :3], 2, 3), r'got \(2, 4, 5, 6\) and \(2, 4, 5, 3\)'),
        'no map': (scores, (x[0], x[0], 2, 3), r'must both have shape \(N, C, H, W\)'),
        'groups': (scores, (x, x, 3, 3), 'groups must be a divisor of the 4 channels, got 3'),
        'no group': (scores, (x, x, 0, 3), 'groups must be a divisor of the 4 channels, got 0'),
        'half a group': (scores, (x, x, 2.0, 3), 'groups must be a divisor of the 4 channels, got 2.0'),
        'even kernel': (scores, (x, x, 2, 2), 'kernel_size must be an odd whole number of at least 1, got 2'),
        'negative kernel': (total, (weights, x, -3), 'kernel_size must be an odd whole number of at least 1, got -3'),
        'whole numbers': (scores, (x.long(), x.long(), 2, 3), 'floating-point dtype, got torch.int64 and torch.int64'),
        'device': (scores, (x, x.to('meta'), 2, 3), 'query and key must be on one device, got cpu and meta'),
        'device of values': (total, (weights, x.to('meta'), 3), 'weights and value must be on one device, got cpu and meta'),
        'more samples': (
            total,
            (torch.randn(64, 1, 9, 5, 7), torch.randn(1, 8, 5, 7), 3),
            r'weights must have .* = \(1, G, 9, 5, 7\) with G a divisor of 8, .* got \(64, 1, 9, 5, 7\)',
        ),
        'smaller value': (total, (weights, x[..., :3], 3), r'\(2, G, 9, 5, 3\)'),
        'other kernel': (total, (weights, x, 5), r'\(2, G, 25, 5, 6\) .* k = 5; got \(2, 2, 9, 5, 6\)'),
        'more groups': (total, (weights, x[:, :3], 3), 'with G a divisor of 3'),
        'weights without groups': (total, (weights[:, 0], x, 3), r'got \(2, 9, 5, 6\)'),
        'weights in a row': (total, (weights.flatten(), x, 3), r'got \(1080,\)'),
        'flat value': (total, (weights, x[0], 3), r'value must have shape \(N, C, H, W\), got \(4, 5, 6\)'),
    }


@pytest.mark.parametrize('name', wrong_calls())
def test_the_kernels_never_see_arguments_that_do_not_fit(name):
    function, arguments, message = wrong_calls()[name]
    with pytest.raises(ValueError, match=message):
        function(*arguments)


def test_two_precisions_meet_in_the_wider_one():
    torch.manual_seed(0)
    query, key = torch.randn(2, 2, 4, 5, 6)
    scores = neighbour_scores(query, key.double(), 2, 3)
    assert scores.dtype == torch.float64
    torch.testing.assert_close(scores, neighbour_scores(query.double(), key.double(), 2, 3))
