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
def test_scores_and_sums_are_those_of_unfold(shape, k):
    torch.manual_seed(0)
    query, key, value = torch.randn(3, *shape, dtype=torch.float64)
    groups = 2
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
