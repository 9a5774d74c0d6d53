import re
from dataclasses import replace

import pytest
import torch
from small_taps import bound, networks

from mmkd_plugin.functional import softened_kl, squared_error
from mmkd_plugin.models.transfers import (
    AttentionTransfer,
    BatchContrastTransfer,
    CorrelationTransfer,
    DecoupledTransfer,
    FeatureTransfer,
    ResponseTransfer,
    Transfer,
)


def test_a_transfer_is_the_weighted_mean_of_its_distances():
    taps, labels = networks()
    weighting = dict(type='mmkd_plugin.Fixed', a=0.8, b=0.2)
    transfer = bound(ResponseTransfer(2.0, source=['a.logits', 'b.logits'], target='student.logits', weighting=weighting), taps)
    kl = [softened_kl(taps['student'].logits, taps[t].logits, 2.0) for t in 'ab']
    torch.testing.assert_close(transfer(taps, labels, 3.0), 3 * (0.8 * kl[0] + 0.2 * kl[1]).mean())


def test_mean_weights_are_told_where_they_change():
    taps, labels = networks()

    def mean_weights(source=('a.logits', 'b.logits'), **weighting):
        transfer = ResponseTransfer(source=list(source), target='student.logits', weighting=weighting)
        return bound(transfer, taps).mean_weights(taps, labels)

    told = mean_weights(type='mmkd_plugin.Entropy')
    by_hand = [-(taps[t].logits.log_softmax(1) * taps[t].logits.softmax(1)).sum(1) for t in 'ab']
    torch.testing.assert_close(told['a'], (1 - by_hand[0] / sum(by_hand)).mean())
    torch.testing.assert_close(told['a'] + told['b'], torch.tensor(1.0))
    assert mean_weights(type='mmkd_plugin.Uniform') == {}
    assert mean_weights(type='mmkd_plugin.Fixed', a=0.5, b=0.5) == {}
    assert mean_weights(source=['a.logits'], type='mmkd_plugin.Entropy') == {}


def test_no_gradient_reaches_the_source():
    taps, labels = networks()
    transfer = bound(ResponseTransfer(source='a.logits', target='student.logits'), taps)
    transfer(taps, labels, 1.0).backward()
    assert taps['a'].logits.grad is None
    assert taps['student'].logits.grad.abs().sum() > 0


def test_the_gradient_of_weighted_divergences_is_that_of_the_mean_response():
    taps, labels = networks()
    transfer = bound(ResponseTransfer(1.0, source=['a.logits', 'b.logits'], target='student.logits'), taps)
    student = taps['student'].logits
    (gradient,) = torch.autograd.grad(transfer(taps, labels, 1.0), student)
    mean = (taps['a'].logits.softmax(1) + taps['b'].logits.softmax(1)) / 2
    (other,) = torch.autograd.grad(softened_kl(student, mean.detach().log(), 1.0).mean(), student)
    torch.testing.assert_close(gradient, other)


def test_a_feature_transfer_over_all_stages_is_the_sum_over_stages():
    taps, labels = networks()
    transfer = bound(FeatureTransfer(source='a.stages', target='student.stages'), taps)
    by_stage = [squared_error(s, t).mean() for s, t in zip(taps['student'].stages, taps['a'].stages)]
    torch.testing.assert_close(transfer(taps, labels, 1.0), sum(by_stage))


def test_every_source_has_a_connector_of_its_own_size():
    taps, labels = networks()
    cfg = dict(type='mmkd_plugin.ConvConnector')
    transfer = bound(FeatureTransfer(source=['a.stages.0', 'wide.stages.0'], target='student.stages.0', connector=cfg), taps)
    assert [transfer.connectors[name][0].map.out_channels for name in ('a', 'wide')] == [4, 6]
    transfer(taps, labels, 1.0).backward()
    assert all(p.grad is not None for p in transfer.parameters())


def test_activation_maps_are_features_too():
    taps, labels = networks()
    transfer = bound(FeatureTransfer(source='a.cam', target='student.cam', distance='cosine'), taps)
    assert 0 < transfer(taps, labels, 1.0) < 2


@pytest.mark.parametrize(
    ('connector', 'message'),
    [
        (
            dict(type='mmkd_plugin.ConvConnector', kernel=3),
            r"'a.stages' to 'student.stages': connector: ConvConnector takes no 'kernel'; did you mean 'kernel_size'\?",
        ),
        (
            [dict(type='mmkd_plugin.Resise')],
            r"connector: there is no model of type 'mmkd_plugin.Resise'; did you mean 'Resize'\?",
        ),
        ('Resize', "connector must be a dict with type=, got 'Resize'"),
    ],
)
def test_a_wrong_connector_is_refused(connector, message):
    taps, _ = networks()
    with pytest.raises(ValueError, match=message):
        bound(FeatureTransfer(source='a.stages', target='student.stages', connector=connector), taps)


def test_shapes_that_do_not_fit_name_both_ends():
    taps, _ = networks()
    with pytest.raises(ValueError, match=r"'wide.stages.0' to 'student.stages.0': the student gives \(4, 8\) and no connector"):
        bound(FeatureTransfer(source='wide.stages.0', target='student.stages.0'), taps)


KD = dict(source='a.logits', target='b.logits')


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (lambda: ResponseTransfer(0, source='a.logits', target='b.logits'), 'tau must be a number above 0, got 0'),
        (
            lambda: FeatureTransfer('mae', source='a.logits', target='b.logits'),
            "distance must be one of mse, l1, cosine, pyramid, got 'mae'",
        ),
        (lambda: FeatureTransfer(source=['a.stages.0', 'a.stages.1'], target='b.stages.0'), 'one tap of each of its networks'),
        (lambda: FeatureTransfer(source=[], target='b.stages.0'), 'one tap of each of its networks'),
        (lambda: ResponseTransfer(reduction='sum', **KD), "reduction must be 'batchmean' or 'mean', got 'sum'"),
        (lambda: ResponseTransfer('4', **KD), "tau must be a number above 0, got '4'"),
        (lambda: DecoupledTransfer(alpha=-1, **KD), 'alpha must be a number of at least 0, got -1'),
        (lambda: DecoupledTransfer(beta=-1, **KD), 'beta must be a number of at least 0, got -1'),
        (lambda: CorrelationTransfer(beta='a', **KD), "beta must be a number of at least 0, got 'a'"),
        (lambda: CorrelationTransfer(gamma=None, **KD), 'gamma must be a number of at least 0, got None'),
        (lambda: AttentionTransfer(p=0, **KD), 'p must be a number above 0, got 0'),
        (lambda: BatchContrastTransfer(consistency=-0.5, **KD), 'consistency must be a number of at least 0, got -0.5'),
        (lambda: ResponseTransfer(weight=-0.2, **KD), 'weight must be a number of at least 0, got -0.2'),
        (lambda: ResponseTransfer(weight='0.2', **KD), "weight must be a number of at least 0, got '0.2'"),
        (lambda: ResponseTransfer(weight=float('nan'), **KD), 'weight must be a number of at least 0, got nan'),
        (lambda: ResponseTransfer(weight=True, **KD), 'weight must be a number of at least 0, got True'),
        (
            lambda: ResponseTransfer(weight=dict(type='mmkd_plugin.Ramp', value=1, ovr=0.1), **KD),
            r"weight: Ramp takes no 'ovr'; did you mean 'over'\?",
        ),
        (
            lambda: ResponseTransfer(weighting=dict(type='mmkd_plugin.Entropy', varant='paper'), **KD),
            r"weighting: Entropy takes no 'varant'; did you mean 'variant'\?",
        ),
        (
            lambda: ResponseTransfer(weighting=dict(type='mmkd_plugin.Fixed', a=-1), **KD),
            'weighting: a must be a number of at least 0, got -1',
        ),
        (
            lambda: FeatureTransfer(source='a.stage', target='b.stages.0'),
            r"'a.stage' is not an address: .*; did you mean 'stages'\?",
        ),
    ],
)
def test_messages(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_the_base_class_says_what_a_subclass_has_to_do():
    taps, labels = networks()
    with pytest.raises(NotImplementedError, match='Transfer defines no distance of target and source'):
        bound(Transfer('a.logits', 'student.logits'), taps)(taps, labels, 1.0)


@pytest.mark.parametrize('transfer', [DecoupledTransfer, CorrelationTransfer])
def test_the_comparisons_between_responses_give_gradients(transfer):
    taps, labels = networks()
    bound(transfer(source='a.logits', target='student.logits'), taps)(taps, labels, 1.0).backward()
    assert taps['student'].logits.grad.abs().sum() > 0


def test_unequal_numbers_of_stages_are_answered_by_pairs_of_the_same_relative_depth():
    taps, _ = networks()
    three, one = (
        replace(taps['a'], stages=(*taps['a'].stages, torch.randn(4, 16, 2))),
        replace(taps['a'], stages=taps['a'].stages[:1]),
    )
    message = (
        "'a.stages' are 3 stages and 'student.stages' are 2; name single stages, one transfer for each pair: "
        "'a.stages.0' to 'student.stages.0', 'a.stages.2' to 'student.stages.1'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        bound(AttentionTransfer(source='a.stages', target='student.stages'), {**taps, 'a': three})
    five = replace(taps['a'], stages=taps['a'].stages[:1] * 5)
    student = replace(taps['student'], stages=taps['student'].stages[:1] * 3)
    with pytest.raises(
        ValueError, match=r"a.stages.0' to 'student.stages.0', 'a.stages.2' to 'student.stages.1', 'a.stages.4' to"
    ):
        bound(AttentionTransfer(source='a.stages', target='student.stages'), {**taps, 'a': five, 'student': student})
    with pytest.raises(ValueError, match=r"pair: 'a.stages.0' to 'student.stages.1'$"):
        bound(AttentionTransfer(source='a.stages', target='student.stages'), {**taps, 'a': one})


@pytest.mark.parametrize(
    ('source', 'target', 'message'),
    [
        ('a.stages', 'student.embedding', r"'a.stages' to 'student.embedding': cannot be paired: \(8,\) with 2 stages"),
        ('a.embedding', 'student.stages', r"'a.embedding' to 'student.stages': cannot be paired: 2 stages .* with \(8,\)"),
    ],
)
def test_stages_and_a_single_feature_are_no_pair(source, target, message):
    taps, _ = networks()
    with pytest.raises(ValueError, match=message):
        bound(FeatureTransfer(source=source, target=target), taps)


def test_attention_pairs_stages_of_any_width_and_resizes_where_it_is_told_to():
    taps, labels = networks()
    wide = bound(AttentionTransfer(source='wide.stages', target='student.stages'), taps)
    assert wide(taps, labels, 1.0) > 0
    with pytest.raises(ValueError, match=r"'wide.stages.0' to 'student.stages.1': the student gives \(8, 4\) and no connector"):
        bound(AttentionTransfer(source='wide.stages.0', target='student.stages.1'), taps)
    cfg = dict(type='mmkd_plugin.Resize')
    assert (
        bound(AttentionTransfer(source='wide.stages.0', target='student.stages.1', connector=cfg), taps)(taps, labels, 1.0) > 0
    )


def test_the_student_s_feature_is_judged_by_the_teachers_classifiers():
    """The feature part of confidence-aware distillation, in float64 from its definition."""
    taps, labels = networks()
    transfer = FeatureTransfer(
        source=['a.embedding', 'wide.embedding'],
        target='student.embedding',
        connector=dict(type='mmkd_plugin.LinearConnector'),
        weighting=dict(type='mmkd_plugin.Confidence', of='student'),
    )
    bound(transfer, taps)
    errors, distances = [], []
    for name in ('a', 'wide'):
        mapped = transfer.connectors[name](taps['student'].embedding)
        logits = mapped.double() @ taps[name].classifier_weight.double().T
        errors.append(torch.nn.functional.cross_entropy(logits, labels, reduction='none'))
        distances.append((mapped - taps[name].embedding).double().square().mean(1))
    weights = 1 - torch.stack(errors).softmax(0)  # over T − 1 = 1
    expected = (weights * torch.stack(distances)).sum(0).mean()
    value = transfer(taps, labels, 1.0)
    torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-7)
    grads = torch.autograd.grad(value, list(transfer.parameters()))
    expected = (weights.detach() * torch.stack(distances)).sum(0).mean()
    by_hand = torch.autograd.grad(expected, list(transfer.parameters()))
    for result, wanted in zip(grads, by_hand):
        torch.testing.assert_close(result, wanted, rtol=1e-4, atol=1e-6)


def test_a_feature_that_the_teacher_s_classifier_cannot_read_is_refused_at_build():
    taps, _ = networks()
    transfer = FeatureTransfer(
        source='wide.stages.0',
        target='student.stages.0',
        connector=dict(type='mmkd_plugin.ConvConnector'),
        weighting=dict(type='mmkd_plugin.Confidence', of='student'),
    )
    with pytest.raises(ValueError, match=r'cannot read \(6, 8\): expected 12 channels'):
        bound(transfer, taps)
