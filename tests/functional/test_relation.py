import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from mmkd_plugin.functional import angle_distance, attention_distance, pair_distance, similarity_distance

ALL = [similarity_distance, pair_distance, angle_distance]


def features():
    torch.manual_seed(0)
    return torch.randn(6, 4, 5, dtype=torch.float64), torch.randn(6, 7, 3, dtype=torch.float64)


def huber(a, b):
    d = np.abs(a - b)
    return np.where(d < 1, d**2 / 2, d - 0.5)


def test_attention_maps_by_numpy():
    student, teacher = features()[0], torch.randn(6, 9, 5, dtype=torch.float64)
    maps = [np.mean(x.numpy() ** 2, 1) for x in (student, teacher)]
    maps = [m / np.linalg.norm(m, axis=1, keepdims=True) for m in maps]
    np.testing.assert_allclose(attention_distance(student, teacher), ((maps[0] - maps[1]) ** 2).mean(1), atol=1e-12)


def test_attention_does_not_see_scale_sign_or_the_order_of_channels():
    x = features()[0]
    assert attention_distance(x, -3 * x.flip(1)).max() < 1e-12


def test_similarity_is_the_squared_norm_over_the_batch_squared():
    student, teacher = features()
    grams = [x.flatten(1).numpy() @ x.flatten(1).numpy().T for x in (student, teacher)]
    grams = [g / np.linalg.norm(g, axis=1, keepdims=True) for g in grams]
    assert similarity_distance(student, teacher).mean().item() == pytest.approx(((grams[0] - grams[1]) ** 2).sum() / 36)


def test_pairs_by_scipy():
    student, teacher = features()
    distances = [cdist(x.flatten(1), x.flatten(1)) for x in (student, teacher)]
    distances = [d / d[d > 0].mean() for d in distances]
    assert pair_distance(student, teacher).mean().item() == pytest.approx(huber(*distances).mean())


def test_angles_by_numpy():
    cosines = []
    for x in features():
        x = x.flatten(1).numpy()
        values = np.zeros((6, 6, 6))
        for i, j, k in np.ndindex(6, 6, 6):
            a, b = x[j] - x[i], x[k] - x[i]
            norm = np.linalg.norm(a) * np.linalg.norm(b)
            values[i, j, k] = a @ b / norm if norm else 0
        cosines.append(values)
    assert angle_distance(*features()).mean().item() == pytest.approx(huber(*cosines).mean())


@pytest.mark.parametrize('distance', ALL)
def test_a_network_is_no_distance_from_itself_turned(distance):
    x = features()[0].flatten(1)
    turn = torch.linalg.qr(torch.randn(20, 20, dtype=torch.float64))[0]
    assert distance(x, x @ turn).max() < 1e-12


@pytest.mark.parametrize('distance', ALL)
@pytest.mark.parametrize('samples', [1, 2])
def test_small_and_collapsed_batches_have_finite_gradients(distance, samples):
    teacher = torch.randn(samples, 4)
    for student in (torch.randn(samples, 4), torch.zeros(samples, 4)):
        student.requires_grad_()
        value = distance(student, teacher)
        (gradient,) = torch.autograd.grad(value.sum(), student)
        assert torch.isfinite(value).all()
        assert torch.isfinite(gradient).all()


def test_pairs_that_coincide_count_in_the_mean_as_published():
    """Distances 0, 5, 5 have the mean 10/3 and √2, 1, 1 the mean (2 + √2)/3; the value of the published code is 0.2508."""
    student = torch.tensor([[0.0, 0], [0, 0], [3, 4]], dtype=torch.float64)
    teacher = torch.tensor([[0.0, 1], [1, 0], [0, 0]], dtype=torch.float64)
    mean = (2 + 2**0.5) / 3
    one, two = 2**0.5 / mean - 0.5, (1.5 - 1 / mean) ** 2 / 2
    assert pair_distance(student, teacher).mean().item() == pytest.approx((2 * one + 4 * two) / 9, abs=1e-9)
    assert pair_distance(student, teacher).mean().item() == pytest.approx(0.2508, abs=5e-5)


@pytest.mark.parametrize('larger', ['student', 'teacher'])
def test_of_two_attention_maps_the_larger_is_pooled_to_the_smaller(larger):
    torch.manual_seed(0)
    small, large = torch.randn(6, 3, 4, dtype=torch.float64), torch.randn(6, 5, 8, dtype=torch.float64)
    pair = (large, small) if larger == 'student' else (small, large)
    maps = [np.mean(x**2, 1) for x in (small.numpy(), large.numpy().reshape(6, 5, 4, 2).mean(3))]
    maps = [m / np.linalg.norm(m, axis=1, keepdims=True) for m in maps]
    np.testing.assert_allclose(attention_distance(*pair), ((maps[0] - maps[1]) ** 2).mean(1), atol=1e-12)
