import math

import pytest
import torch
import torch.nn.functional as F

from mmkd_plugin.functional import absolute_error, cosine_distance, pyramid_error, softened_kl, squared_error


def test_kl_of_two_classes_and_an_undecided_teacher_by_hand():
    student, teacher, tau = torch.tensor([[2.0, 0.0]]), torch.zeros(1, 2), 2.0
    p = 1 / (1 + math.exp(-1.0))  # softmax of (2, 0) / 2
    by_hand = tau**2 * (0.5 * math.log(0.5 / p) + 0.5 * math.log(0.5 / (1 - p)))
    assert softened_kl(student, teacher, tau).item() == pytest.approx(by_hand, rel=1e-6)


def test_kl_is_zero_where_responses_agree():
    logits = torch.randn(5, 3)
    torch.testing.assert_close(softened_kl(logits + 7, logits, 4.0), torch.zeros(5), atol=1e-5, rtol=0)


def test_kl_gradient_for_large_tau_is_that_of_centred_logits():
    # Hinton et al. 2015, equation 4: tau² KL tends to half the squared distance of centred logits, over K.
    torch.manual_seed(0)
    student, teacher = torch.randn(4, 6, dtype=torch.float64, requires_grad=True), torch.randn(4, 6, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(softened_kl(student, teacher, 1e4).sum(), student)
    limit = ((student - student.mean(1, keepdim=True)) - (teacher - teacher.mean(1, keepdim=True))) / 6
    torch.testing.assert_close(gradient, limit.detach(), atol=1e-3, rtol=1e-3)


def test_kl_of_saturated_responses_is_finite():
    student = torch.tensor([[1e4, -1e4]], requires_grad=True)
    value = softened_kl(student, torch.tensor([[-1e4, 1e4]]), 1.0).sum()
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(student.grad).all()


@pytest.mark.parametrize('tau', [0, -1, float('nan')])
def test_kl_refuses_a_temperature_that_is_none(tau):
    with pytest.raises(ValueError, match='tau must be above 0, got'):
        softened_kl(torch.zeros(1, 2), torch.zeros(1, 2), tau)


def test_means_over_the_batch_are_torch_s_own_losses():
    a, b = torch.randn(4, 3, 5), torch.randn(4, 3, 5)
    torch.testing.assert_close(squared_error(a, b).mean(), F.mse_loss(a, b))
    torch.testing.assert_close(absolute_error(a, b).mean(), F.l1_loss(a, b))
    assert squared_error(a, b).shape == (4,)


def test_cosine_distance_of_parallel_opposite_and_orthogonal():
    a = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    b = torch.tensor([[3.0, 0.0], [-2.0, 0.0], [0.0, 5.0]])
    torch.testing.assert_close(cosine_distance(a, b), torch.tensor([0.0, 2.0, 1.0]))


def test_a_feature_up_to_the_limit_has_no_direction():
    lengths = torch.tensor([[0.0], [1e-9], [1e-8], [1.1e-8], [1.0]], dtype=torch.float64)
    short, long = lengths * torch.tensor([1.0, 0.0], dtype=torch.float64), torch.tensor([[1.0, 0.0]] * 5, dtype=torch.float64)
    for pair in ((short, long), (long, short)):
        assert cosine_distance(*pair).tolist() == pytest.approx([1, 1, 1, 0, 0])


@pytest.mark.parametrize('shape', [(2, 3, 10), (2, 3, 8, 8), (2, 3, 8, 3)])
def test_the_pyramid_by_hand(shape):
    torch.manual_seed(0)
    a, b = torch.randn(shape), torch.randn(shape)
    pool = F.adaptive_avg_pool1d if len(shape) == 3 else F.adaptive_avg_pool2d
    total = (a - b).square().flatten(1).mean(1)
    for cells, weight in ((4, 1 / 2), (2, 1 / 4), (1, 1 / 8)):
        size = [min(cells, n) for n in shape[2:]]
        size = size[0] if len(shape) == 3 else size
        total = total + weight * (pool(a, size) - pool(b, size)).square().flatten(1).mean(1)
    torch.testing.assert_close(pyramid_error(a, b), total / (1 + 1 / 2 + 1 / 4 + 1 / 8))


def test_levels_of_the_pyramid_that_are_no_smaller_than_the_map_are_left_out():
    a, b = torch.randn(2, 3, 2), torch.randn(2, 3, 2)
    mean = (a.mean(2) - b.mean(2)).square().mean(1)
    torch.testing.assert_close(pyramid_error(a, b), (squared_error(a, b) + mean / 2) / 1.5)
