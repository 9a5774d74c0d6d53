"""Responses of several teachers, averaged as losses, probabilities or logits."""

import dataclasses

import pytest
import torch
from mmengine.logging import MessageHub
from small_taps import bound, networks

from mmkd_plugin.functional import decoupled_kl, minimum_norm_weights, softened_kl, standardized
from mmkd_plugin.models.transfers import (
    CurriculumTransfer,
    DecoupledTransfer,
    FeatureTransfer,
    MergedSimilarityTransfer,
    ResponseTransfer,
)


def three_teachers(average, **more):
    taps, labels = networks()
    weighting = dict(type='mmkd_plugin.Fixed', a=0.5, b=0.3, wide=0.2)
    sources = ['a.logits', 'b.logits', 'wide.logits']
    transfer = ResponseTransfer(2.0, average, source=sources, target='student.logits', weighting=weighting, **more)
    return bound(transfer, taps), taps, labels


def test_the_average_of_logits_is_the_divergence_from_their_mean():
    transfer, taps, labels = three_teachers('logits')
    mean = 0.5 * taps['a'].logits + 0.3 * taps['b'].logits + 0.2 * taps['wide'].logits
    torch.testing.assert_close(transfer(taps, labels, 1.0), softened_kl(taps['student'].logits, mean, 2.0).mean())


def test_the_average_of_probabilities_is_the_divergence_from_their_mean():
    transfer, taps, labels = three_teachers('probs')
    mean = sum(w * (taps[t].logits / 2).softmax(1) for t, w in (('a', 0.5), ('b', 0.3), ('wide', 0.2)))
    by_hand = 4 * (mean * (mean.log() - (taps['student'].logits / 2).log_softmax(1))).sum(1).mean()
    torch.testing.assert_close(transfer(taps, labels, 1.0), by_hand)


@pytest.mark.parametrize('average', ['losses', 'logits', 'probs'])
def test_the_mean_over_classes_too_is_the_default_of_torch(average):
    transfer, taps, labels = three_teachers(average, reduction='mean')
    weights = [('a', 0.5), ('b', 0.3), ('wide', 0.2)]
    responses = [(w, (taps[t].logits / 2).softmax(1)) for t, w in weights]
    if average == 'probs':
        responses = [(1.0, sum(w * p for w, p in responses))]
    if average == 'logits':
        responses = [(1.0, (sum(w * taps[t].logits for t, w in weights) / 2).softmax(1))]
    published = torch.nn.KLDivLoss()  # warns that its mean is over classes, too
    with pytest.warns(UserWarning, match='batchmean'):
        by_torch = sum(w * 4 * published((taps['student'].logits / 2).log_softmax(1), p) for w, p in responses)
    torch.testing.assert_close(transfer(taps, labels, 1.0), by_torch)


def test_a_weighting_of_all_responses_reads_the_student_last():
    taps, labels = networks()
    weighting = dict(type='mmkd_plugin.Learned')
    transfer = bound(ResponseTransfer(2.0, source=['a.logits', 'b.logits'], target='student.logits', weighting=weighting), taps)
    weights = transfer.weighting([taps[name].logits for name in ('a', 'b', 'student')], labels)
    assert weights.std() > 0
    by_hand = sum(w * softened_kl(taps['student'].logits, taps[name].logits, 2.0) for w, name in zip(weights, 'ab'))
    torch.testing.assert_close(transfer(taps, labels, 1.0), by_hand.mean())


def test_the_mean_over_classes_of_one_teacher():
    taps, labels = networks()
    transfer = bound(ResponseTransfer(2.0, reduction='mean', source='a.logits', target='student.logits'), taps)
    student, teacher = taps['student'].logits, taps['a'].logits
    torch.testing.assert_close(transfer(taps, labels, 1.0), softened_kl(student, teacher, 2.0).mean() / student.shape[1])


def test_averages_of_one_teacher_are_alike_and_of_losses_and_probabilities_have_one_gradient():
    values = []
    for average in ('losses', 'probs', 'logits'):
        taps, labels = networks()
        transfer = bound(ResponseTransfer(2.0, average, source='a.logits', target='student.logits'), taps)
        values.append(transfer(taps, labels, 1.0))
    torch.testing.assert_close(values[0], values[1])
    torch.testing.assert_close(values[0], values[2])
    gradients = []
    for average in ('losses', 'probs'):
        transfer, taps, labels = three_teachers(average)
        gradients.append(torch.autograd.grad(transfer(taps, labels, 1.0), taps['student'].logits)[0])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize(
    'weighting',
    [
        dict(type='mmkd_plugin.Fixed', a=1.0, b=0.5, wide=0.5),
        dict(type='mmkd_plugin.Fixed', a=0.0, b=0.5, wide=0.0),
        dict(type='mmkd_plugin.Entropy', variant='reference'),
    ],
    ids=['sum of 2', 'one teacher alone', 'sum of 2/3'],
)
@pytest.mark.filterwarnings('ignore:the weights')
def test_the_mixture_of_responses_is_a_probability_and_the_sum_of_the_weights_a_factor(weighting):
    taps, labels = networks()
    sources = ['a.logits', 'b.logits', 'wide.logits']
    build = dict(source=sources, target='student.logits', weighting=weighting)
    transfers = [bound(ResponseTransfer(2.0, average, **build), taps) for average in ('probs', 'losses')]
    student, weights = taps['student'].logits, transfers[0].weights(taps, [], labels)  # (T, N)
    total = weights.sum(0)
    p = sum(w[:, None] * (taps[t].logits / 2).softmax(1) for w, t in zip(weights, ('a', 'b', 'wide'))) / total[:, None]
    torch.testing.assert_close(p.sum(1), torch.ones(len(p)))
    by_hand = total * 4 * (p * (p.log() - (student / 2).log_softmax(1))).sum(1)
    torch.testing.assert_close(transfers[0].per_sample(taps, labels), by_hand)
    gradients = [torch.autograd.grad(transfer(taps, labels, 1.0), student)[0] for transfer in transfers]
    torch.testing.assert_close(*gradients)


@pytest.mark.filterwarnings('ignore:the weights')
def test_a_mixture_of_teachers_without_weight_is_no_loss():
    taps, labels = networks()
    nothing = dict(type='mmkd_plugin.Fixed', a=0.0, b=0.0)
    build = dict(source=['a.logits', 'b.logits'], target='student.logits', weighting=nothing)
    transfer = bound(ResponseTransfer(2.0, 'probs', **build), taps)
    assert transfer(taps, labels, 1.0) == 0


def test_responses_of_half_precision_are_mixed_in_float32():
    taps, labels = networks()
    exact = three_teachers('probs')[0]
    halved = [taps[name].logits.detach().bfloat16() for name in ('a', 'b', 'wide')]
    weights = torch.tensor([[0.5], [0.3], [0.2]]).expand(3, len(labels))
    student = [taps['student'].logits.detach().bfloat16()]
    value = exact.combine(student, halved, weights, labels)
    assert torch.equal(value, exact.combine([student[0].float()], [z.float() for z in halved], weights, labels))


def test_an_unknown_average_is_refused():
    with pytest.raises(ValueError, match="average must be 'losses', 'probs' or 'logits', got 'mean'"):
        ResponseTransfer(average='mean', source='a.logits', target='student.logits')


@pytest.mark.parametrize('standardize', [True, 'reference'])
def test_standardised_responses_are_compared_as_the_published_code_does(standardize):
    transfer, taps, labels = three_teachers('losses', standardize=standardize)

    def normalize(z):
        return (z - z.mean(1, keepdim=True)) / (1e-7 + z.std(1, correction=int(standardize == 'reference'), keepdim=True))

    student = (normalize(taps['student'].logits) / 2).log_softmax(1)
    published = [
        w * 4 * torch.nn.functional.kl_div(student, (normalize(taps[t].logits) / 2).softmax(1), reduction='batchmean')
        for t, w in (('a', 0.5), ('b', 0.3), ('wide', 0.2))
    ]
    torch.testing.assert_close(transfer(taps, labels, 9.0), 9 * sum(published), atol=1e-5, rtol=1e-5)


def test_logits_are_standardised_before_they_are_averaged():
    transfer, taps, labels = three_teachers('logits', standardize=True)
    mean = sum(w * standardized(taps[t].logits) for t, w in (('a', 0.5), ('b', 0.3), ('wide', 0.2)))
    by_hand = softened_kl(standardized(taps['student'].logits), mean, 2.0).mean()
    torch.testing.assert_close(transfer(taps, labels, 1.0), by_hand)


def test_both_parts_of_the_decoupled_divergence_have_their_weight():
    taps, labels = networks()
    transfer = bound(DecoupledTransfer(alpha=3, beta=0.5, tau=2.0, source='a.logits', target='student.logits'), taps)
    by_hand = decoupled_kl(taps['student'].logits, taps['a'].logits, labels, 2.0, 3, 0.5).mean()
    torch.testing.assert_close(transfer(taps, labels, 1.0), by_hand)


@pytest.mark.parametrize('average', ['losses', 'logits', 'probs'])
def test_the_decoupled_divergence_of_several_teachers_knows_the_labels(average):
    taps, labels = networks()
    weights = torch.tensor([0.7, 0.3])
    weighting = dict(type='mmkd_plugin.Fixed', a=0.7, b=0.3)
    options = dict(average=average, source=['a.logits', 'b.logits'], target='student.logits', weighting=weighting)
    transfer = bound(DecoupledTransfer(tau=2.0, **options), taps)
    logits = torch.stack([taps[name].logits.detach() for name in 'ab'])
    if average == 'losses':
        by_hand = sum(w * decoupled_kl(taps['student'].logits, each, labels, 2.0) for w, each in zip(weights, logits))
    else:
        mixed = (weights[:, None, None] * (logits / 2).softmax(2)).sum(0).log() * 2
        mean = (weights[:, None, None] * logits).sum(0) if average == 'logits' else mixed
        by_hand = decoupled_kl(taps['student'].logits, mean, labels, 2.0)
    torch.testing.assert_close(transfer(taps, labels, 1.0), by_hand.mean())


def test_gradients_of_a_distance_that_knows_the_labels_weigh_the_teachers():
    taps, labels = networks()
    weighting = dict(type='mmkd_plugin.MinimumNorm', tolerance=0.6)
    options = dict(source=['a.logits', 'b.logits'], target='student.logits', weighting=weighting)
    transfer = bound(DecoupledTransfer(tau=2.0, **options), taps)
    student = taps['student'].logits.detach().requires_grad_()
    by_hand = [
        torch.autograd.grad(decoupled_kl(student, taps[name].logits.detach(), labels, 2.0).sum(), student)[0] for name in 'ab'
    ]
    torch.testing.assert_close(transfer.gradients(taps, labels), by_hand)
    vectors = torch.stack(by_hand).flatten(1)
    weights = minimum_norm_weights(vectors @ vectors.T, 0.6).float()
    torch.testing.assert_close(transfer.weights(taps, [], labels), weights[:, None].expand(2, len(labels)))


def test_a_standardised_teacher_that_only_speaks_louder_has_nothing_to_teach():
    taps, labels = networks()
    louder = {**taps, 'a': dataclasses.replace(taps['a'], logits=5 * taps['student'].logits.detach() + 2)}
    for kind in (ResponseTransfer, DecoupledTransfer):
        values = [
            bound(kind(source='a.logits', target='student.logits', standardize=on), taps)(louder, labels, 1.0)
            for on in (False, True)
        ]
        assert values[0] > 0.1
        assert abs(values[1]) < 1e-5


def test_an_unknown_standardisation_is_refused():
    with pytest.raises(ValueError, match="standardize must be False, True or 'reference', got 'code'"):
        ResponseTransfer(standardize='code', source='a.logits', target='student.logits')


def weighted_by_gradients(**more):
    taps, labels = networks()
    weighting = dict(type='mmkd_plugin.MinimumNorm', tolerance=0.6)
    build = dict(source=['a.logits', 'b.logits', 'wide.logits'], target='student.logits', weighting=weighting)
    return bound(ResponseTransfer(2.0, **build, **more), taps), taps, labels


def test_gradients_at_the_student_s_logits_weigh_the_teachers():
    transfer, taps, labels = weighted_by_gradients()
    student = (taps['student'].logits / 2).softmax(1)
    by_hand = [2 * (student - (taps[t].logits / 2).softmax(1)).detach() for t in ('a', 'b', 'wide')]
    torch.testing.assert_close(transfer.gradients(taps, labels), by_hand)
    vectors = torch.stack(by_hand).flatten(1)
    weights = minimum_norm_weights(vectors @ vectors.T, 0.6).float()
    torch.testing.assert_close(transfer.weights(taps, [], labels), weights[:, None].expand(3, len(labels)))
    divergences = torch.stack([softened_kl(taps['student'].logits, taps[t].logits, 2.0) for t in ('a', 'b', 'wide')])
    value = transfer(taps, labels, 3.0)
    torch.testing.assert_close(value, 3 * (weights @ divergences).mean())
    (gradient,) = torch.autograd.grad(value, taps['student'].logits)
    torch.testing.assert_close(gradient, 3 * torch.einsum('t,tnk->nk', weights, torch.stack(by_hand)) / len(labels))
    with torch.no_grad():  # as a log and a score do
        torch.testing.assert_close(transfer.mean_weights(taps, labels), dict(zip(('a', 'b', 'wide'), weights)))
        torch.testing.assert_close(3 * transfer.per_sample(taps, labels).mean(), value)


def test_gradients_at_logits_go_through_their_standardisation():
    transfer, taps, labels = weighted_by_gradients(standardize=True)
    student = taps['student'].logits
    value = softened_kl(standardized(student), standardized(taps['a'].logits.detach()), 2.0).sum()
    torch.testing.assert_close(transfer.gradients(taps, labels)[0], torch.autograd.grad(value, student)[0])


def test_gradients_of_half_precision_are_taken_in_float32():
    transfer, taps, labels = weighted_by_gradients()
    halved = {name: dataclasses.replace(each, logits=each.logits.detach().bfloat16()) for name, each in taps.items()}
    gradients = transfer.gradients(halved, labels)
    assert {g.dtype for g in gradients} == {torch.float32}
    rounded = {name: dataclasses.replace(each, logits=each.logits.float()) for name, each in halved.items()}
    assert all(map(torch.equal, gradients, transfer.gradients(rounded, labels)))


@pytest.mark.parametrize(
    ('kind', 'addresses', 'message'),
    [
        (FeatureTransfer, ('a.embedding', 'student.embedding'), "FeatureTransfer to 'student.embedding' has none"),
        (MergedSimilarityTransfer, ('a.logits', 'student.logits'), "MergedSimilarityTransfer to 'student.logits' has none"),
    ],
)
def test_gradients_are_those_of_single_distances_at_logits(kind, addresses, message):
    source, target = addresses
    with pytest.raises(ValueError, match=f'MinimumNorm weighs by gradients of distances at logits; {message}'):
        kind(source=source, target=target, weighting=dict(type='mmkd_plugin.MinimumNorm', tolerance=1.0))


def test_a_curriculum_trusts_the_teachers_first_and_then_the_labels():
    taps, labels = networks()
    build = dict(source=['a.logits', 'b.logits'], target='student.logits', over=0.5)
    transfer = bound(CurriculumTransfer(**build), taps)
    confidence = sum(taps[t].logits.softmax(1)[torch.arange(4), labels] for t in 'ab') / 2
    errors = torch.nn.functional.cross_entropy(taps['student'].logits, labels, reduction='none')
    torch.testing.assert_close(transfer.per_sample(taps, labels), confidence * errors)
    hub = MessageHub.get_current_instance()
    hub.update_info('max_iters', 100)
    hub.update_info('iter', 10)
    torch.testing.assert_close(transfer.per_sample(taps, labels), (confidence + (1 - confidence) * 0.2) * errors)
    hub.update_info('iter', 70)
    torch.testing.assert_close(transfer(taps, labels, 2.0), 2 * errors.mean())


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(over=0.0), 'a curriculum reads logits, over a share of the run above 0; got 0.0'),
        (dict(over=1.5), 'over must be a number from 0 to 1, got 1.5'),
        (dict(source='a.embedding'), r"a curriculum reads logits, over a share of the run above 0; got \['a.embedding'\]"),
    ],
)
def test_an_impossible_curriculum_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        CurriculumTransfer(**{'source': 'a.logits', 'target': 'student.logits', **changes})
