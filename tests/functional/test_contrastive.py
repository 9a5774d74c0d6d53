import math

import pytest
import torch

from mmkd_plugin.functional import batch_consistency, batch_contrast, noise_contrast


@pytest.mark.parametrize('z', [3.0, torch.tensor(3.0, dtype=torch.float64)], ids=['number', 'tensor'])
def test_noise_contrast_by_hand(z):
    """The last sample's own likelihood is 1e-18; shares of seven are no round numbers of a lower precision."""
    rows = [
        [0.5, -0.2, 1.0, 0.3, 0.7, -1.0, 0.2],
        [0.1, 0.9, 0.0, -0.4, 2.0, 0.3, -0.6],
        [-40.0, 0.2, 1.5, -0.3, 0.8, 0.4, 0.1],
    ]
    own, others = [0, 1, 0], [[1, 2], [0, 2, 3], [1, 2, 3, 4, 5]]
    negative = torch.zeros(3, 7, dtype=torch.bool)
    for row, places in enumerate(others):
        negative[row, places] = True
    result = noise_contrast(torch.tensor(rows, dtype=torch.float64), torch.tensor(own), negative, z)
    for row, (place, places) in enumerate(zip(own, others)):
        noise = len(places) / 7  # N times 1 / n
        p = [math.exp(score) / 3 for score in rows[row]]
        expected = math.log1p(noise / p[place]) + sum(math.log1p(p[j] / noise) for j in places)
        assert math.isclose(result[row].item(), expected, rel_tol=1e-13)


def test_noise_contrast_falls_as_a_sample_finds_itself_and_rises_as_it_takes_others_for_itself():
    scores = torch.zeros(1, 4, dtype=torch.float64, requires_grad=True)
    noise_contrast(scores, torch.tensor([2]), torch.tensor([[True, True, False, False]]), 4.0).sum().backward()
    assert scores.grad[0, 2] < 0
    assert (scores.grad[0, :2] > 0).all()
    assert scores.grad[0, 3] == 0  # another sample of the same class


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_a_sample_without_negatives_is_finite(dtype):
    """In double precision the gradient was NaN: the smallest number of float64 is none of float32, in which shares were counted."""
    scores = torch.zeros(1, 3, dtype=dtype, requires_grad=True)
    loss = noise_contrast(scores, torch.tensor([1]), torch.zeros(1, 3, dtype=torch.bool), 3.0)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert not scores.grad.any()


@pytest.mark.parametrize('score', [-60.0, -30.0, 0.0, 5.0])
def test_a_sample_without_negatives_finds_itself_however_small_its_likelihood(score):
    scores = torch.tensor([[score, 1.0]])
    loss = noise_contrast(scores, torch.tensor([0]), torch.zeros(1, 2, dtype=torch.bool), 1.0)
    assert loss.tolist() == [0.0]


def test_batch_contrast_is_the_cross_entropy_with_the_diagonal():
    scores = torch.randn(5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    by_hand = [math.log(scores[i].exp().sum().item()) - scores[i, i].item() for i in range(5)]
    torch.testing.assert_close(batch_contrast(scores), torch.tensor(by_hand, dtype=torch.float64))
    assert batch_contrast(torch.tensor([[2.0]])).tolist() == [0.0]


def test_batch_consistency_compares_rows_with_columns():
    scores = torch.tensor([[1.0, 0.0], [2.0, 0.5]], dtype=torch.float64)
    rows, columns = scores.softmax(1), scores.T.softmax(1)
    by_hand = (columns * (columns / rows).log()).sum(1)
    torch.testing.assert_close(batch_consistency(scores), by_hand)
    torch.testing.assert_close(batch_consistency(scores + scores.T), torch.zeros(2, dtype=torch.float64))


def test_a_bias_on_all_similarities_changes_nothing():
    """Why the published bias of DCD is left out."""
    scores = torch.randn(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(batch_contrast(scores + 3), batch_contrast(scores))
    torch.testing.assert_close(batch_consistency(scores + 3), batch_consistency(scores))
