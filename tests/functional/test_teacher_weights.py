"""Weights that are computed, against general solvers and by hand."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from sklearn.svm import OneClassSVM

from mmkd_plugin.functional import curriculum_weights, expert_weights, minimum_norm_weights


def gram_of(teachers, numbers=20, seed=0, spread=1.0):
    torch.manual_seed(seed)
    common, own = torch.randn(numbers, dtype=torch.float64), torch.randn(teachers, numbers, dtype=torch.float64)
    vectors = common + spread * own * torch.arange(1, teachers + 1)[:, None]
    return vectors @ vectors.T


@pytest.mark.parametrize('spread', [1.0, 1e-3], ids=['apart', 'nearly alike'])
@pytest.mark.parametrize(('teachers', 'largest'), [(2, 0.6), (3, 1.0), (3, 0.4), (5, 0.6), (8, 0.2)])
def test_the_shortest_combination_is_that_of_a_general_solver(teachers, largest, spread):
    gram = gram_of(teachers, spread=spread)
    weights = minimum_norm_weights(gram, largest)
    assert weights.sum().item() == pytest.approx(1)
    assert weights.min() >= 0
    assert weights.max() <= largest
    scaled = (gram / gram.max()).numpy()
    found = minimize(
        lambda w: w @ scaled @ w / 2,
        np.full(teachers, 1 / teachers),
        jac=lambda w: scaled @ w,
        bounds=[(0, largest)] * teachers,
        constraints=dict(type='eq', fun=lambda w: w.sum() - 1, jac=np.ones_like),
        options=dict(ftol=1e-15, maxiter=1000),
    )
    ours = weights.numpy() @ scaled @ weights.numpy() / 2
    assert ours <= found.fun + 2e-9
    if spread == 1:
        np.testing.assert_allclose(weights, found.x, atol=1e-5)


def test_the_published_code_solves_the_same_problem_by_a_support_vector_machine():
    gram, largest = gram_of(5), 0.6
    nu = 1 / (largest * 5)
    machine = OneClassSVM(kernel='precomputed', nu=nu, tol=1e-9).fit(gram.numpy())
    published = np.zeros(5)
    published[machine.support_] = machine.dual_coef_[0] / (5 * nu)
    np.testing.assert_allclose(minimum_norm_weights(gram, largest), published, atol=1e-6)


@pytest.mark.parametrize(
    ('vectors', 'largest', 'weights'),
    [
        ([[1.0, 0.0], [0.0, 1.0]], 1.0, [0.5, 0.5]),
        ([[2.0, 0.0], [0.0, 1.0]], 1.0, [0.2, 0.8]),  # 4 w² + (1 − w)² is least at 1/5
        ([[2.0, 0.0], [0.0, 1.0]], 0.6, [0.4, 0.6]),
        ([[3.0, 0.5], [3.0, -1.0]], 1.0, [2 / 3, 1 / 3]),  # what they share cannot be got rid of
        ([[1.0, 0.0], [3.0, 0.0]], 1.0, [1.0, 0.0]),  # the shorter of two in one direction
        ([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0]], 1.0, [0.5, 0.5, 0.0]),  # two that cancel out leave nothing
        ([[5.0, 1.0], [2.0, 7.0], [1.0, 1.0]], 1 / 3, [1 / 3] * 3),
        ([[0.0, 0.0], [0.0, 0.0]], 0.6, [0.5, 0.5]),
        ([[3.0, 1.0]], 1.0, [1.0]),
    ],
)
def test_shortest_combinations_by_hand(vectors, largest, weights):
    for unit in (1, 1e-3, 1e3):
        scaled = unit * torch.tensor(vectors, dtype=torch.float64)
        torch.testing.assert_close(minimum_norm_weights(scaled @ scaled.T, largest).float(), torch.tensor(weights))


def test_products_that_are_those_of_no_vectors_end_at_a_corner():
    """As rounding may leave them: along the edge between the two there is no minimum but at an end."""
    assert minimum_norm_weights(torch.tensor([[1.0, 1.001], [1.001, 1.001]]), 1.0).tolist() == [1, 0]
    assert minimum_norm_weights(torch.tensor([[1.0, 1.001], [1.001, 1.002]]), 0.75).tolist() == [0.75, 0.25]


def test_no_weights_below_their_mean_sum_to_one():
    with pytest.raises(ValueError, match=r'the greatest weight of 4 teachers must be at least 0.25, got 0.2'):
        minimum_norm_weights(torch.eye(4), 0.2)


def test_an_expert_fades_as_the_student_catches_up():
    student = torch.tensor([0.0, 0.2, 0.24, 0.25, 0.52, 0.8, 0.9])
    weights = expert_weights(student, torch.full((7,), 0.8), 0.3)
    by_hand = torch.tensor([1, 1, 1, 0.55 / 0.56, 0.5, 0, 0])  # (0.8 − acc) / (0.8 · 0.7)
    torch.testing.assert_close(weights, by_hand)
    assert expert_weights(torch.tensor([0.5, 0.0]), torch.zeros(2), 0.3).tolist() == [0, 1]  # a teacher that knows nothing
    assert expert_weights(torch.tensor([0.5]), torch.tensor([torch.nan]), 0.3).isnan().all()


def test_a_curriculum_goes_from_confidence_to_one():
    confidence = torch.tensor([0.0, 0.2, 1.0])
    assert torch.equal(curriculum_weights(confidence, 0.0), confidence)
    torch.testing.assert_close(curriculum_weights(confidence, 0.5), torch.tensor([0.5, 0.6, 1.0]))
    assert torch.equal(curriculum_weights(confidence, 1.0), torch.ones(3))
