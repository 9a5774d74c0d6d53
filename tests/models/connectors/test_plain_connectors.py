import pytest
import torch
import torch.nn.functional as F

from mmkd_plugin.models.connectors import ConvConnector, Lift, LinearConnector, NormReLU, Resize, build_connector
from mmkd_plugin.models.connectors.plain import resize


def test_an_empty_chain_leaves_the_feature_alone():
    x = torch.randn(2, 3, 5)
    assert build_connector(None, (3, 5), (3, 5))(x) is x


def test_an_impossible_pair_names_both_shapes():
    with pytest.raises(ValueError, match=r'the student gives \(3, 5\) and no connector ends at \(3, 5\), expected \(4, 5\)'):
        build_connector(None, (3, 5), (4, 5))


def test_a_chain_that_ends_elsewhere_names_its_links():
    with pytest.raises(ValueError, match=r'mmkd_plugin.Lift -> mmkd_plugin.NormReLU ends at \(3, 4, 4\), expected \(8, 4, 4\)'):
        build_connector([dict(type='mmkd_plugin.Lift'), dict(type='mmkd_plugin.NormReLU')], (3, 5), (8, 4, 4))


def test_stages_are_connected_one_by_one():
    cfg = [dict(type='mmkd_plugin.Resize'), dict(type='mmkd_plugin.ConvConnector')]
    chain = build_connector(cfg, ((3, 8), (4, 6)), ((5, 4), (6, 12)))
    out = chain((torch.randn(2, 3, 8), torch.randn(2, 4, 6)))
    assert [tuple(o.shape) for o in out] == [(2, 5, 4), (2, 6, 12)]


@pytest.mark.parametrize('goal', [((3, 8),), (3, 8)])
def test_unequal_numbers_of_stages_are_refused(goal):
    with pytest.raises(ValueError, match='name single stages, or as many on both sides'):
        build_connector(None, ((3, 8), (4, 6)), goal)


def test_probing_leaves_batch_norm_as_it_was():
    chain = build_connector(dict(type='mmkd_plugin.NormReLU'), (3, 5), (3, 5))
    assert chain[0].training
    assert chain[0].norm.num_batches_tracked == 0


def test_values_of_the_plain_ones():
    x = torch.randn(4, 3)
    linear = LinearConnector((3,), (5,))
    torch.testing.assert_close(linear(x), x @ linear.map.weight.T + linear.map.bias)
    assert ConvConnector((3, 6, 5), (7, 1, 1), kernel_size=3)(torch.randn(2, 3, 6, 5)).shape == (2, 7, 6, 5)
    x = torch.randn(4, 3, 8)
    normed = NormReLU((3, 8), (3, 8), relu=False)(x)
    torch.testing.assert_close(normed.mean((0, 2)), torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(NormReLU((3, 8), (3, 8))(x), F.relu(normed))


def test_the_published_regressor_is_a_chain():
    """Convolution, batch norm over samples and positions, ReLU: the hint layer of Tian et al., ICLR 2020."""
    torch.manual_seed(0)
    chain = build_connector(
        [dict(type='mmkd_plugin.ConvConnector'), dict(type='mmkd_plugin.NormReLU')], (3, 8), (5, 8)
    ).double()
    x = torch.randn(4, 3, 8, dtype=torch.float64)
    conv = torch.einsum('oi,nit->not', chain[0].map.weight[:, :, 0], x) + chain[0].map.bias[:, None]
    mean, variance = conv.mean((0, 2), keepdim=True), conv.var((0, 2), unbiased=False, keepdim=True)
    torch.testing.assert_close(chain(x), ((conv - mean) / (variance + 1e-5).sqrt()).clamp(min=0), atol=1e-6, rtol=0)


def test_resizing_averages_where_it_shrinks_and_interpolates_where_it_grows():
    x = torch.arange(6.0).view(1, 1, 6)
    torch.testing.assert_close(resize(x, (3,)), torch.tensor([[[0.5, 2.5, 4.5]]]))
    torch.testing.assert_close(resize(x, (12,)), F.interpolate(x, 12, mode='linear', align_corners=False))
    assert Resize((1, 6), (9, 3))(x).shape == (1, 1, 3)


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (lambda: LinearConnector((3, 4), (5,)), r'LinearConnector reads \(C\), got a feature of shape \(3, 4\)'),
        (lambda: ConvConnector((3,), (5,)), r'ConvConnector reads \(C, S\) or \(C, S, S\), got a feature of shape \(3,\)'),
        (lambda: ConvConnector((3, 4), (5, 4), kernel_size=2), 'kernel_size must be odd, got 2'),
        (lambda: Resize((3, 4), (5, 4, 4)), 'Lift goes from 1D to 2D'),
        (lambda: Lift((3, 4, 4), (5, 4, 4)), r'Lift goes from \(C, L\) to \(C, H, W\)'),
        (lambda: Lift((3, 4), (5, 4, 4), mode='inner'), "mode must be 'outer', 'repeat' or 'sum', got 'inner'"),
    ],
)
def test_messages(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize('mode', ['outer', 'repeat', 'sum'])
@pytest.mark.parametrize('size', [(4, 4), (5, 3), (30, 40)])
def test_resizing_before_the_lift_is_resizing_after_it(mode, size):
    x = torch.randn(2, 3, 20, dtype=torch.float64)
    whole = Lift((3, 20), (1, 20, 20), mode)(x)
    assert whole.shape == (2, 3, 20, 20)
    torch.testing.assert_close(Lift((3, 20), (1, *size), mode)(x), resize(whole, size))


def test_lift_by_hand():
    x = torch.tensor([[[1.0, 2.0]]])
    assert Lift((1, 2), (1, 2, 2), 'outer')(x).tolist() == [[[[1, 2], [2, 4]]]]
    assert Lift((1, 2), (1, 2, 2), 'sum')(x).tolist() == [[[[2, 3], [3, 4]]]]
    assert Lift((1, 2), (1, 2, 2), 'repeat')(x).tolist() == [[[[1, 1.5], [1.5, 2]]]]
