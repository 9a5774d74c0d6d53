"""Transfers of relations between the samples of a batch."""

import pytest
import torch
from small_taps import bound, networks

from mmkd_plugin.models.transfers import MergedSimilarityTransfer, RelationTransfer


@pytest.mark.parametrize('relation', ['similarity', 'distance', 'angle'])
def test_relations_compare_any_two_shapes(relation):
    taps, labels = networks()
    transfer = bound(RelationTransfer(relation, source=['a.embedding', 'wide.stages.0'], target='student.stages.1'), taps)
    assert transfer(taps, labels, 1.0) > 0


def test_an_unknown_relation_is_refused():
    with pytest.raises(ValueError, match="relation must be one of similarity, distance, angle, got 'pairs'"):
        RelationTransfer('pairs', source='a.embedding', target='student.embedding')


@pytest.mark.parametrize('orthogonality', [False, True])
def test_merged_similarity_maps_worked_out(orthogonality):
    taps, labels = networks(n=6)
    weighting = dict(type='mmkd_plugin.Fixed', a=0.3, b=0.2, wide=0.5)
    sources = ['a.stages', 'b.stages', 'wide.stages']
    transfer = MergedSimilarityTransfer(orthogonality, source=sources, target='student.stages', weighting=weighting)
    expected = 0.0
    for level in range(2):

        def gram(name, level=level):
            x = taps[name].stages[level].double().flatten(1)
            g = x @ x.T
            return g / g.norm(dim=1, keepdim=True)

        goal, own = 0.3 * gram('a') + 0.2 * gram('b') + 0.5 * gram('wide'), gram('student')
        if orthogonality:
            goal, own = goal @ goal.T - torch.eye(6), own @ own.T - torch.eye(6)
        expected += (own - goal).norm() ** 2 / 36
    torch.testing.assert_close(bound(transfer, taps)(taps, labels, 1.0).double(), expected, rtol=1e-5, atol=1e-7)


def test_merging_one_teacher_is_similarity_distillation():
    taps, labels = networks(n=6)
    merged = bound(MergedSimilarityTransfer(source='wide.stages.1', target='student.stages.1'), taps)
    plain = bound(RelationTransfer('similarity', source='wide.stages.1', target='student.stages.1'), taps)
    torch.testing.assert_close(merged(taps, labels, 2.0), plain(taps, labels, 2.0))


def test_merged_maps_need_as_many_stages_on_both_sides():
    taps, _ = networks()
    with pytest.raises(ValueError, match='name single stages, or as many on both sides'):
        bound(MergedSimilarityTransfer(source='a.stages', target='student.stages.1'), taps)


@pytest.mark.parametrize('orthogonality', [False, True])
def test_merged_similarity_maps_are_computed_in_float32(orthogonality):
    taps, labels = networks(n=6)
    sources = ['a.stages', 'b.stages']
    transfer = bound(MergedSimilarityTransfer(orthogonality, source=sources, target='student.stages'), taps)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = transfer.per_sample(taps, labels)
    assert torch.equal(half, transfer.per_sample(taps, labels))
