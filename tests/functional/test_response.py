import math

import numpy as np
import pytest
import torch

from mmkd_plugin.functional import correlation_distance, decoupled_kl, softened_kl, standardized


def responses(n=6, classes=5):
    torch.manual_seed(0)
    return torch.randn(n, classes), torch.randn(n, classes), torch.randint(classes, (n,))


def test_the_decoupled_parts_with_the_teacher_s_doubt_as_weight_are_the_divergence():
    """Zhao et al., equation 6: KL = TCKD + (1 − p_target) · NCKD."""
    student, teacher, labels = responses()
    doubt = 1 - (teacher / 4).softmax(1).gather(1, labels[:, None])[:, 0]
    tckd = decoupled_kl(student, teacher, labels, 4.0, alpha=1, beta=0)
    nckd = decoupled_kl(student, teacher, labels, 4.0, alpha=0, beta=1)
    torch.testing.assert_close(tckd + doubt * nckd, softened_kl(student, teacher, 4.0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(decoupled_kl(student, teacher, labels, 4.0), tckd + 8 * nckd)


def test_the_decoupled_parts_by_hand():
    # Probabilities student (1/2, 1/4, 1/4), teacher (1/2, 1/3, 1/6), target 0: the target's part is 0.
    student, teacher = (torch.tensor([p]).log() for p in ([0.5, 0.25, 0.25], [0.5, 1 / 3, 1 / 6]))
    among = 2 / 3 * math.log(2 / 3 / 0.5) + 1 / 3 * math.log(1 / 3 / 0.5)
    value = decoupled_kl(student, teacher, torch.tensor([0]), 1.0, alpha=100, beta=1)
    assert value.item() == pytest.approx(among, abs=1e-5)


def test_two_classes_have_no_rest_to_tell_apart():
    student, teacher, labels = responses(classes=2)
    torch.testing.assert_close(decoupled_kl(student, teacher, labels, 2.0), softened_kl(student, teacher, 2.0))


def test_saturated_responses_have_finite_gradients():
    labels = torch.tensor([0, 1])
    student = torch.tensor([[1e4, 0, -1e4], [1e4, 0, -1e4]], requires_grad=True)
    teacher = -student.detach()
    for distance in (decoupled_kl(student, teacher, labels, 1.0), correlation_distance(student, teacher, 1.0)):
        (gradient,) = torch.autograd.grad(distance.sum(), student)
        assert torch.isfinite(distance).all()
        assert torch.isfinite(gradient).all()


def test_correlation_is_that_of_numpy():
    student, teacher, _ = responses()
    s, t = ((z.double() / 2).softmax(1).numpy() for z in (student, teacher))
    between = np.array([1 - np.corrcoef(a, b)[0, 1] for a, b in zip(s, t)])
    within = np.mean([1 - np.corrcoef(a, b)[0, 1] for a, b in zip(s.T, t.T)])
    value = correlation_distance(student.double(), teacher.double(), 2.0, beta=1.5, gamma=0.5)
    np.testing.assert_allclose(value.numpy(), 4 * (1.5 * between + 0.5 * within), atol=1e-9)


def test_a_batch_of_one_sample_has_a_finite_gradient():
    student = torch.randn(1, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(correlation_distance(student, torch.randn(1, 5), 1.0).sum(), student)
    assert torch.isfinite(gradient).all()


def test_messages():
    student, teacher, labels = responses()
    with pytest.raises(ValueError, match=r'got tau=0 and 5 class\(es\)'):
        decoupled_kl(student, teacher, labels, 0)
    with pytest.raises(ValueError, match='there must be two classes'):
        decoupled_kl(student[:, :1], teacher[:, :1], labels * 0, 1.0)
    for function in (softened_kl, correlation_distance):
        for tau in (0, -1, float('nan')):
            with pytest.raises(ValueError, match=f'tau must be above 0, got {tau}'):
                function(student, teacher, tau)


def test_the_reference_of_correlation_adds_to_the_product_of_norms():
    """Huang et al.'s code, where class 4 is absent from the batch."""
    student, teacher, _ = responses()
    student, teacher = student.double(), teacher.double()
    teacher[:, 4] = -80 + teacher[:, 4]
    s, t = ((z / 2).softmax(1).numpy() for z in (student, teacher))

    def rho(a, b):
        a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
        return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-8)

    expected = 4 * (1.5 * (1 - rho(s, t)) + 0.5 * (1 - rho(s.T, t.T)).mean())
    value = correlation_distance(student, teacher, 2.0, beta=1.5, gamma=0.5, variant='reference')
    np.testing.assert_allclose(value, expected, atol=1e-9)
    with pytest.raises(ValueError, match="variant must be 'paper' or 'reference', got 'code'"):
        correlation_distance(student, teacher, 2.0, variant='code')


def test_z_scores_by_hand_and_by_torch():
    torch.testing.assert_close(standardized(torch.tensor([[0.0, 2.0], [5.0, 1.0]])), torch.tensor([[-1.0, 1.0], [1.0, -1.0]]))
    logits = responses()[0].double()
    by_torch = [(logits - logits.mean(1, keepdim=True)) / logits.std(1, correction=c, keepdim=True) for c in (0, 1)]
    torch.testing.assert_close(standardized(logits), by_torch[0])
    torch.testing.assert_close(standardized(logits, 'reference'), by_torch[1])


def test_z_scores_know_neither_the_scale_nor_the_origin_of_logits():
    logits = responses()[0].double().requires_grad_()
    torch.testing.assert_close(standardized(3 * logits + 7), standardized(logits))
    assert torch.autograd.gradcheck(standardized, logits)


def test_constant_logits_have_no_z_scores_and_no_gradient():
    logits = torch.full((2, 7), 1 / 3, requires_grad=True)  # whose mean is rounded
    scores = standardized(logits)
    assert torch.equal(scores, torch.zeros(2, 7))
    (gradient,) = torch.autograd.grad(scores.square().sum() + scores[0, 0], logits)
    assert torch.equal(gradient, torch.zeros(2, 7))
    with pytest.raises(ValueError, match="variant must be 'paper' or 'reference', got 'code'"):
        standardized(logits, 'code')
