"""Windows that lack a teacher's stream: that teacher has no weight for them, and relates no others to them."""

from dataclasses import replace

import pytest
import torch
from small_contrast import LABELS, make_transfer
from small_contrast import networks as vectors
from small_taps import bound, networks

from mmkd_plugin.models.transfers import (
    AttentionTransfer,
    BatchContrastTransfer,
    CorrelationTransfer,
    DecoupledTransfer,
    EvidenceTransfer,
    FeatureTransfer,
    MergedSimilarityTransfer,
    RelationTransfer,
    ResponseTransfer,
)
from mmkd_plugin.structures import Taps

PRESENT = torch.tensor([True, False, True, True, False, True])


def part(taps, rows):
    fields = {name: getattr(taps, name)[rows] for name in ('embedding', 'logits')}
    return Taps(tuple(stage[rows] for stage in taps.stages), **fields, classifier_weight=taps.classifier_weight)


ONE_SOURCE = {
    'response': lambda: ResponseTransfer(source='a.logits', target='student.logits'),
    'correlation': lambda: CorrelationTransfer(source='a.logits', target='student.logits'),
    'decoupled': lambda: DecoupledTransfer(source='a.logits', target='student.logits'),
    'feature': lambda: FeatureTransfer(source='a.embedding', target='student.embedding'),
    'stages': lambda: AttentionTransfer(source='a.stages', target='student.stages'),
    'similarity': lambda: RelationTransfer('similarity', source='a.embedding', target='student.embedding'),
    'distance': lambda: RelationTransfer('distance', source='a.embedding', target='student.embedding'),
    'merged': lambda: MergedSimilarityTransfer(source=['a.embedding'], target='student.embedding'),
    'contrast': lambda: BatchContrastTransfer(source='a.embedding', target='student.embedding', dim=4),
}


@pytest.mark.parametrize('kind', ONE_SOURCE)
def test_the_others_are_as_if_alone(kind):
    taps, labels = networks(6)
    torch.manual_seed(1)
    transfer = bound(ONE_SOURCE[kind](), taps)
    assert transfer.present(taps) is None
    lacking = {**taps, 'a': replace(taps['a'], present=PRESENT)}
    values = transfer.per_sample(lacking, labels)
    alone = transfer.per_sample({name: part(each, PRESENT) for name, each in taps.items()}, labels[PRESENT])
    torch.testing.assert_close(values[PRESENT], alone)
    assert (values[~PRESENT] == 0).all()
    torch.testing.assert_close(transfer(lacking, labels, 2.0), 2 * alone.sum() / 6)  # the mean is that of all windows
    nobody = {**taps, 'a': replace(taps['a'], present=torch.zeros(6, dtype=torch.bool))}
    assert transfer.per_sample(nobody, labels).abs().sum() == 0


def test_the_weights_of_the_others_stay_or_are_renormalised():
    taps, labels = networks(6)
    taps['a'] = replace(taps['a'], present=PRESENT)
    options = dict(source=['a.logits', 'b.logits'], target='student.logits')
    kept = bound(ResponseTransfer(**options), taps)
    moved = bound(ResponseTransfer(renormalize=True, **options), taps)
    weights = kept.weights(taps, [], labels)
    assert weights[0].tolist() == [0.5, 0, 0.5, 0.5, 0, 0.5]
    assert weights[1].tolist() == [0.5] * 6
    assert moved.weights(taps, [], labels)[1].tolist() == [0.5, 1, 0.5, 0.5, 1, 0.5]
    alone = bound(ResponseTransfer(source='b.logits', target='student.logits'), taps).per_sample(taps, labels)
    torch.testing.assert_close(moved.per_sample(taps, labels)[~PRESENT], alone[~PRESENT])
    torch.testing.assert_close(kept.per_sample(taps, labels)[~PRESENT], alone[~PRESENT] / 2)
    averaged = bound(ResponseTransfer(renormalize=True, average='logits', **options), taps)
    torch.testing.assert_close(averaged.per_sample(taps, labels)[~PRESENT], alone[~PRESENT])


def test_a_window_that_no_teacher_has_seen_teaches_nothing():
    taps, labels = networks(6)
    for name in 'ab':
        taps[name] = replace(taps[name], present=PRESENT)
    for average in ('losses', 'probs', 'logits'):
        for renormalize in (False, True):
            transfer = ResponseTransfer(
                source=['a.logits', 'b.logits'], target='student.logits', average=average, renormalize=renormalize
            )
            values = bound(transfer, taps).per_sample(taps, labels)
            assert torch.isfinite(values).all()
            assert (values[~PRESENT] == 0).all()
            assert (values[PRESENT] > 0).all()


def test_a_merged_map_is_of_windows_that_all_teachers_have_seen():
    taps, labels = networks(6)
    transfer = bound(MergedSimilarityTransfer(source=['a.embedding', 'b.embedding'], target='student.embedding'), taps)
    other = torch.tensor([True, True, True, False, False, True])
    both = PRESENT & other
    lacking = {**taps, 'a': replace(taps['a'], present=PRESENT), 'b': replace(taps['b'], present=other)}
    values = transfer.per_sample(lacking, labels)
    alone = transfer.per_sample({name: part(each, both) for name, each in taps.items()}, labels[both])
    torch.testing.assert_close(values[both], alone)
    assert (values[~both] == 0).all()


@pytest.mark.parametrize('fusion', ['outer', 'time'])
def test_joint_evidence_is_of_windows_that_both_teachers_have_seen(fusion):
    torch.manual_seed(0)
    labels = torch.randint(5, (6,))

    def seen(stage, **extra):
        return Taps((stage,), stage.flatten(2).mean(2), torch.randn(6, 5), torch.randn(5, stage.shape[1]), **extra)

    attention = torch.randn(6, 4, 9).softmax(2).unflatten(2, (3, 3))
    taps = {
        'sig': seen(torch.randn(6, 3, 8)),
        'gaf': seen(torch.rand(6, 3, 6, 6)),
        'student': seen(torch.randn(6, 3, 4), attention=attention),
    }
    transfer = bound(EvidenceTransfer(source=['sig.stages.0', 'gaf.cam'], target='student.attention', fusion=fusion), taps)
    whole = transfer.per_sample(taps, labels)
    other = torch.tensor([True, True, True, False, False, True])
    both = PRESENT & other
    lacking = {**taps, 'sig': replace(taps['sig'], present=PRESENT), 'gaf': replace(taps['gaf'], present=other)}
    values = transfer.per_sample(lacking, labels)
    torch.testing.assert_close(values[both], whole[both])
    assert (whole > 0).all()
    assert (values[~both] == 0).all()


def test_a_memory_bank_keeps_what_it_had_of_a_window_without_the_stream():
    index = torch.tensor([0, 31, 5, 39])
    transfer, taps = make_transfer(), vectors(index)
    present = torch.tensor([True, False, True, True])
    taps['gaf'] = replace(taps['gaf'], present=present)
    before = transfer.pairs['gaf'].source_memory.clone()
    values = transfer.per_sample(taps, LABELS[index], index)
    assert values[1] == 0
    assert (values[present] > 0).all()
    changed = (transfer.pairs['gaf'].source_memory != before).any(1)
    assert sorted(torch.nonzero(changed).flatten().tolist()) == [0, 5, 39]
