import pytest
import torch

from mmkd_plugin.functional import (
    activation_map_distance,
    joint_evidence,
    temporal_attention,
    temporal_evidence,
    time_marginal,
)
from mmkd_plugin.models.transfers import ActivationMapTransfer, EvidenceTransfer
from mmkd_plugin.structures import Taps


def taps(stage, classes=4, attention=None, classifier=True, seed=0):
    torch.manual_seed(seed)
    weight = torch.randn(classes, stage.shape[1]) if classifier else None
    pooled = stage.flatten(2).mean(2)
    logits = torch.randn(len(stage), classes)
    return Taps((stage.relu(),), pooled, logits, weight, attention, head='GlobalAveragePooling and ArcFaceClsHead')


def networks(n=3):
    torch.manual_seed(1)
    attention = torch.randn(n, 6, 4 * 4, requires_grad=True)
    return {
        'sig': taps(torch.randn(n, 8, 12)),
        'gaf': taps(torch.randn(n, 5, 8, 8), seed=2),
        'image': taps(torch.randn(n, 7, 4, 4, requires_grad=True), seed=3),
        'student': taps(torch.randn(n, 8, 10, requires_grad=True), seed=4),
        'fusion': taps(torch.randn(n, 8, 6), attention=attention.softmax(2).unflatten(2, (4, 4)), seed=5),
        'odd': taps(torch.randn(n, 5, 8, 8), classifier=False),
    }, torch.tensor([0, 3, 1])[:n]


def bound(transfer, result):
    transfer.bind(result)
    return transfer


@pytest.mark.parametrize(('source', 'target'), [('gaf', 'image'), ('sig', 'student')])
@pytest.mark.parametrize('options', [dict(), dict(classes='all', normalize=True, size=2)])
def test_activation_maps_of_other_sizes_are_compared(source, target, options):
    result, labels = networks()
    transfer = bound(ActivationMapTransfer(source=f'{source}.cam', target=f'{target}.cam', **options), result)
    chosen = None if options else labels
    pair = result[target].cam, result[source].cam
    by_hand = activation_map_distance(*pair, chosen, options.get('size'), options.get('normalize', False)).mean()
    torch.testing.assert_close(transfer(result, labels, 2.0), 2 * by_hand)


def test_maps_over_time_and_over_an_image_are_no_pair():
    result, _ = networks()
    with pytest.raises(ValueError, match=r'activation maps of shapes \(4, 10\) and \(4, 8, 8\) cannot be compared'):
        bound(ActivationMapTransfer(source='gaf.cam', target='student.cam'), result)


def test_a_head_without_activation_maps_is_named():
    result, _ = networks()
    message = 'its classifier is GlobalAveragePooling and ArcFaceClsHead, not global average pooling and one linear layer'
    with pytest.raises(ValueError, match=message):
        bound(ActivationMapTransfer(source='odd.cam', target='image.cam'), result)


def evidence(result, sources=('sig.stages.0', 'gaf.cam'), **options):
    return bound(EvidenceTransfer(source=list(sources), target='fusion.attention', **options), result)


def test_joint_evidence_worked_out_sample_by_sample():
    result, labels = networks()
    n, steps = result['fusion'].attention.shape[:2]
    # Constant over pairs of times, so that it does not matter whether energy is pooled before or after squaring.
    stage = result['sig'].stages[0].view(n, 8, steps, 2).mean(3, keepdim=True).expand(-1, -1, -1, 2).reshape(n, 8, 12)
    result['sig'] = Taps((stage,), result['sig'].embedding, result['sig'].logits, result['sig'].classifier_weight)
    total = 0.0
    for i in range(n):
        energy = stage[i].double().square().mean(0)[::2]
        when = energy / energy.sum()
        where = result['gaf'].cam[i, labels[i]].double().view(4, 2, 4, 2).mean((1, 3)).relu()
        goal = steps * when[:, None, None] * (where / where.sum())
        total += (result['fusion'].attention[i].double() - goal).square().mean()
    assert evidence(result)(result, labels, 1.0).item() == pytest.approx(total.item() / n, rel=1e-5)


def test_evidence_on_the_time_axis_worked_out():
    result, labels = networks()
    attention, stage, cam = result['fusion'].attention, result['sig'].stages[0], result['gaf'].cam
    when = temporal_attention(torch.nn.functional.interpolate(stage, [6], mode='area'))
    goal = temporal_evidence(when, cam[torch.arange(3), labels])
    by_hand = (time_marginal(attention.mean(1), 6) - goal).square().mean()
    torch.testing.assert_close(evidence(result, fusion='time')(result, labels, 1.0), by_hand)


@pytest.mark.parametrize('fusion', ['outer', 'time'])
@pytest.mark.parametrize('normalize', ['l1', 'softmax'])
def test_evidence_moves_the_attention_and_nothing_else(fusion, normalize):
    result, labels = networks()
    leaf = torch.randn(3, 6, 16, requires_grad=True)
    old = result['fusion']
    result['fusion'] = Taps(old.stages, old.embedding, old.logits, old.classifier_weight, leaf.softmax(2).unflatten(2, (4, 4)))
    value = evidence(result, fusion=fusion, normalize=normalize)(result, labels, 1.0)
    value.backward()
    assert value > 0
    assert leaf.grad.abs().sum() > 0


def test_attention_that_is_the_evidence_is_at_no_distance():
    result, labels = networks()
    transfer = evidence(result, fusion='outer')
    goal = torch.zeros(3, 6, 4, 4)
    targets, sources = transfer.read({**result, 'fusion': Taps((), goal, goal, attention=goal)})
    stage = torch.nn.functional.interpolate(sources[0], [6], mode='area')
    cam = sources[1][torch.arange(3), labels][:, None]
    goal = joint_evidence(temporal_attention(stage), torch.nn.functional.interpolate(cam, [4, 4], mode='area')[:, 0])
    assert transfer.combine([goal, goal], sources, None, labels).abs().max() < 1e-12
    assert targets[0].shape == (3, 6, 4, 4)


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (
            lambda: EvidenceTransfer(source=['a.stages.0', 'b.cam'], target='c.attention', fusion='sum'),
            "'outer' or 'time', got",
        ),
        (lambda: EvidenceTransfer(source='b.cam', target='c.attention'), 'two addresses, no weighting and no connector'),
        (
            lambda: EvidenceTransfer(
                source=['a.stages.0', 'b.cam'], target='c.attention', weighting=dict(type='mmkd_plugin.Uniform')
            ),
            'no weighting and no connector',
        ),
        (lambda: ActivationMapTransfer(source='a.cam', target='b.cam', classes='own'), "classes must be 'target' or 'all'"),
        (lambda: evidence({**networks()[0], 'fusion': networks()[0]['sig']}), 'offers no attention'),
    ],
)
def test_messages(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize('sources', [('image.cam', 'gaf.cam'), ('sig.stages.0', 'student.cam')])
def test_evidence_is_a_stage_over_time_and_then_a_map_over_an_image(sources):
    result, labels = networks()
    transfer = evidence(result, sources=sources)
    with pytest.raises(ValueError, match='source must be a stage over time, then an activation map'):
        transfer(result, labels, 1.0)
