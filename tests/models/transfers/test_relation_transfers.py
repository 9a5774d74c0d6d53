"""Transfers of relations between the samples of a batch."""

import dataclasses

import pytest
import torch
from small_taps import bound, networks

from mmkd_plugin.functional import similarity_map
from mmkd_plugin.models.transfers import AttentionTransfer, MergedSimilarityTransfer, RelationTransfer


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


def test_the_reference_merges_gram_matrices_before_rows_are_normalised():
    taps, labels = networks(n=6)
    weighting = dict(type='mmkd_plugin.Fixed', a=0.3, wide=0.7)
    build = dict(source=['a.stages.0', 'wide.stages.0'], target='student.stages.0', weighting=weighting)
    transfer = bound(MergedSimilarityTransfer(variant='reference', **build), taps)
    flat = {name: taps[name].stages[0].flatten(1) for name in ('a', 'wide', 'student')}
    gram = {name: x @ x.T for name, x in flat.items()}
    merged = 0.3 * gram['a'] + 0.7 * gram['wide']
    difference = gram['student'] / gram['student'].norm(dim=1, keepdim=True) - merged / merged.norm(dim=1, keepdim=True)
    torch.testing.assert_close(transfer(taps, labels, 1.0), difference.square().sum() / 36, atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match="variant must be 'paper' or 'reference', got 'code'"):
        MergedSimilarityTransfer(variant='code', **build)


def test_the_reference_of_attention_transfer_resizes_no_student():
    reference, paper = (AttentionTransfer(variant=v, source='a.stages.0', target='s.stages.0') for v in ('reference', 'paper'))
    assert reference.goal((3, 4), (5, 8)) == (3, 4)
    assert paper.goal((3, 4), (5, 8)) == (3, 8)
    assert reference.goal(((3, 4), (3, 8)), ((5, 8), (5, 4))) == ((3, 4), (3, 8))


def test_a_sample_s_row_is_merged_by_the_certainty_of_the_teachers_about_it():
    """Uncertainty-aware TPKD: of two teachers, each has the other's share of the entropy."""
    taps, labels = networks(n=6)
    logits = taps['a'].logits.detach()
    taps['a'] = dataclasses.replace(taps['a'], logits=torch.cat([1e4 * logits[:2], torch.zeros(2, 5), logits[4:]]))
    build = dict(target='student.stages', weighting=dict(type='mmkd_plugin.Entropy'))
    transfer = bound(MergedSimilarityTransfer(source=['a.stages', 'b.stages'], **build), taps)
    h_a, h_b = (torch.distributions.Categorical(logits=taps[t].logits).entropy() for t in 'ab')
    share = (h_b / (h_a + h_b)).detach()[:, None]
    assert torch.equal(share[:2], torch.ones(2, 1))
    expected = 0.0
    for level in range(2):
        g_a, g_b, own = (similarity_map(taps[t].stages[level]) for t in ('a', 'b', 'student'))
        expected += (own - share * g_a - (1 - share) * g_b).square().sum(1) / 6
    torch.testing.assert_close(transfer.per_sample(taps, labels), expected)
    alone = bound(MergedSimilarityTransfer(source='a.stages', target='student.stages'), taps)
    torch.testing.assert_close(transfer.per_sample(taps, labels)[:2], alone.per_sample(taps, labels)[:2])
