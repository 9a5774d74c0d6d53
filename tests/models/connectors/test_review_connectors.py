import pytest
import torch
import torch.nn.functional as F

from mmkd_plugin.models.connectors import BottleneckProjector, GatedReviewConnector, ReviewConnector, build_connector

STUDENT = ((4, 16), (6, 8), (8, 4))
TEACHER = ((5, 20), (7, 10), (12, 5))


def batch(shapes, n=3):
    torch.manual_seed(0)
    return tuple(torch.randn(n, *shape) for shape in shapes)


def test_gated_review_worked_out_from_the_deepest_stage():
    torch.manual_seed(0)
    review = GatedReviewConnector(STUDENT, TEACHER).eval()
    stages, fused = batch(STUDENT), None
    for level in (2, 1, 0):
        resized = F.interpolate(stages[level], TEACHER[level][1:], mode='linear', align_corners=False)
        _, conv, norm = review.reduce[level]
        x = norm(F.conv1d(resized, conv.weight))
        if fused is not None:
            deep = F.interpolate(fused, x.shape[2:], mode='nearest')
            gates = review.attend[level].gates(torch.cat([x, deep], 1)).sigmoid()
            x = x * gates[:, 0:1] + deep * gates[:, 1:2]
        fused = x
        torch.testing.assert_close(review(stages)[level], review.filter[level](x))
    assert review.reduce[0][1].out_channels == 12  # the teacher's deepest stage


def test_gated_review_of_the_published_code_fuses_at_the_student_s_sizes():
    torch.manual_seed(0)
    review = GatedReviewConnector(STUDENT, TEACHER, variant='reference').double().eval()
    stages, fused = [stage.double() for stage in batch(STUDENT)], None
    for level in (2, 1, 0):
        conv, norm = review.reduce[level]
        x = norm(F.conv1d(stages[level], conv.weight))
        if fused is not None:
            deep = F.interpolate(fused, stages[level].shape[2:], mode='nearest')
            z = review.attend[level].gates(torch.cat([x, deep], 1)).sigmoid()
            x = x * z[:, 0].view(3, 1, -1) + deep * z[:, 1].view(3, 1, -1)
        fused = F.interpolate(x, TEACHER[level][1:], mode='nearest')
        conv, norm = review.filter[level]
        expected = norm(F.conv1d(fused, conv.weight, padding=1))
        torch.testing.assert_close(review(stages)[level], expected, atol=1e-6, rtol=0)
    assert review.reduce[0][0].out_channels == 8  # the student's deepest stage
    # He's uniform distribution with a = 1: half-width √(3 / fan-in)
    assert 0.8 * (3 / 8) ** 0.5 < review.reduce[2][0].weight.abs().max() < (3 / 8) ** 0.5


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="variant must be 'paper' or 'reference', got 'code'"):
        GatedReviewConnector(STUDENT, TEACHER, variant='code')
    shapes = ((8, 6, 6), (16, 3, 3))
    with pytest.raises(ValueError, match="attention must be 'paper' or 'reference', got 'code'"):
        ReviewConnector(shapes, shapes, attention='code')


@pytest.mark.parametrize('space', [(), (3,)])
def test_gated_review_gives_the_teacher_s_shapes_over_time_and_over_images(space):
    student, teacher = (tuple((*shape, *space) for shape in shapes) for shapes in (STUDENT, TEACHER))
    chain = build_connector(dict(type='mmkd_plugin.GatedReviewConnector'), student, teacher)
    out = chain(batch(student))
    assert [tuple(x.shape[1:]) for x in out] == list(teacher)
    sum(x.square().mean() for x in out).backward()
    assert all(p.grad.abs().sum() > 0 for p in chain.parameters())


@pytest.mark.parametrize('space', [(9,), (5, 6)])
def test_a_projector_of_three_convolutions(space):
    projector = BottleneckProjector((4, *space), (10, *space), factor=2)
    x = torch.randn(3, 4, *space)
    assert projector(x).shape == (3, 10, *space)
    assert (projector(x) >= 0).all()
    kernels = [tuple(m.weight.shape) for m in projector.links[::3]]
    assert kernels == [(5, 4, *[1] * len(space)), (5, 5, *[3] * len(space)), (10, 5, *[1] * len(space))]
    with pytest.raises(ValueError, match='10 channels are no multiple of the factor 3'):
        BottleneckProjector((4, *space), (10, *space), factor=3)
