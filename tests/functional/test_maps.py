import pytest
import torch
import torch.nn.functional as F

from mmkd_plugin.functional import (
    activation_map_distance,
    joint_evidence,
    temporal_attention,
    temporal_evidence,
    time_marginal,
)


def maps(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_map_of_the_sample_s_own_class_is_compared():
    a, b, labels = maps(3, 4, 5, 5), maps(3, 4, 5, 5, seed=1), torch.tensor([0, 3, 1])
    by_hand = torch.stack([((a[n, c] - b[n, c]) ** 2).mean() for n, c in enumerate(labels)])
    torch.testing.assert_close(activation_map_distance(a, b, labels), by_hand)
    other = b.clone()
    other[0, 1:] += 7.0  # maps of other classes do not count
    torch.testing.assert_close(activation_map_distance(a, other, labels)[0], by_hand[0])


def test_all_classes_are_the_mean_over_each():
    a, b = maps(2, 3, 6), maps(2, 3, 6, seed=1)
    each = [activation_map_distance(a, b, torch.full((2,), c)) for c in range(3)]
    torch.testing.assert_close(activation_map_distance(a, b), torch.stack(each).mean(0))


def test_maps_are_brought_to_the_smaller_size_by_averages():
    a, b = maps(2, 3, 8, 4), maps(2, 3, 2, 4, seed=1)
    pooled = F.adaptive_avg_pool2d(a, (2, 4))
    torch.testing.assert_close(activation_map_distance(a, b), ((pooled - b) ** 2).mean((1, 2, 3)))
    assert activation_map_distance(a, b, size=1).shape == (2,)


def test_the_published_relative_pools_to_two_cells_and_normalises():
    a, b = maps(2, 3, 8, 8), maps(2, 3, 4, 4, seed=1)
    x, y = (F.normalize(F.adaptive_avg_pool2d(m, 2).flatten(2), dim=2) for m in (a, b))
    torch.testing.assert_close(activation_map_distance(a, b, size=2, normalize=True), ((x - y) ** 2).mean((1, 2)))
    torch.testing.assert_close(activation_map_distance(a, 3 * a, size=2, normalize=True), torch.zeros(2, dtype=torch.float64))


def test_attention_over_time_by_hand():
    feature = torch.tensor([[[1.0, 2.0, 0.0], [3.0, 0.0, 0.0]]])
    torch.testing.assert_close(temporal_attention(feature), torch.tensor([[5.0, 2.0, 0.0]]) / 7)
    torch.testing.assert_close(
        temporal_attention(feature, p=1, normalize='softmax'), torch.tensor([[2.0, 1.0, 0.0]]).softmax(1)
    )
    torch.testing.assert_close(temporal_attention(0 * feature), torch.full((1, 3), 1 / 3))
    with pytest.raises(ValueError, match="normalize must be 'l1' or 'softmax', got 'max'"):
        temporal_attention(feature, normalize='max')


def test_zeros_have_no_gradient_of_a_root():
    feature = torch.tensor([[[4.0, 0.0, 9.0], [16.0, 0.0, 1.0]]], requires_grad=True)
    attention = temporal_attention(feature, p=0.5)
    torch.testing.assert_close(attention, torch.tensor([[3.0, 0.0, 2.0]]) / 5)
    (gradient,) = torch.autograd.grad(attention[0, 0], feature)
    assert gradient.isfinite().all()
    assert gradient[0, :, 1].tolist() == [0, 0]


def test_a_pixel_speaks_of_its_row_s_and_its_column_s_time():
    image = torch.zeros(1, 4, 4)
    image[0, 1, 3] = 2.0
    torch.testing.assert_close(time_marginal(image, 4), torch.tensor([[0.0, 0.5, 0.0, 0.5]]))
    symmetric = maps(2, 6, 6).abs()
    symmetric = symmetric + symmetric.transpose(1, 2)
    torch.testing.assert_close(time_marginal(symmetric, 6), symmetric.sum(2) / symmetric.sum((1, 2))[:, None])


def test_joint_evidence_is_a_product_with_the_total_of_a_cross_attention_map():
    attention, cam = maps(2, 5).softmax(1), maps(2, 3, 3, seed=1)
    joint = joint_evidence(attention, cam)
    assert joint.shape == (2, 5, 3, 3)
    torch.testing.assert_close(joint.sum((1, 2, 3)), torch.full((2,), 5.0, dtype=torch.float64))
    torch.testing.assert_close(joint.sum((2, 3)) / 5, attention)
    kept = cam.relu() / cam.relu().sum((1, 2), keepdim=True)
    torch.testing.assert_close(joint.sum(1) / 5, kept)
    assert (joint[:, :, cam[0] < 0][0] == 0).all()


def test_temporal_evidence_is_the_mean_of_both_and_holds_for_an_empty_map():
    attention, cam = maps(2, 6).softmax(1), maps(2, 6, 6, seed=1)
    torch.testing.assert_close(temporal_evidence(attention, cam), (attention + time_marginal(cam.relu(), 6)) / 2)
    nowhere = temporal_evidence(attention, -torch.ones(2, 6, 6, dtype=torch.float64))
    torch.testing.assert_close(nowhere, (attention + 1 / 6) / 2)
    torch.testing.assert_close(nowhere.sum(1), torch.ones(2, dtype=torch.float64))
