import pytest
import torch
from mmpretrain.models import ImageClassifier
from torch import nn

from mmkd_plugin.models.distillers import Network
from mmkd_plugin.models.distillers.stem import fit_stem, stem_convolutions
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Address

WRN = dict(type='mmkd_plugin.WideResNet', dim=1, depth=10)


def build(backbone, shape, **more):
    head = dict(type='mmpretrain.LinearClsHead')
    neck = dict(type='mmpretrain.GlobalAveragePooling', dim=len(shape) - 1)
    return Network(**{**dict(backbone=backbone, sample_shape=shape, num_classes=5, neck=neck, head=head), **more})


def cifar():
    return dict(type='mmpretrain.ResNet_CIFAR', depth=18, base_channels=8, stem_channels=8, out_indices=(0, 1, 2, 3))


def test_a_signal_network_sizes_itself():
    taps = build(WRN, (6, 50))(torch.randn(3, 6, 50))
    assert [tuple(s.shape) for s in taps.stages] == [(3, 16, 50), (3, 32, 25), (3, 64, 13)]
    assert taps.embedding.shape == (3, 64)
    assert taps.logits.shape == (3, 5)


def test_an_image_network_of_the_host_reads_any_number_of_channels():
    taps = build(cifar(), (6, 16, 16))(torch.randn(3, 6, 16, 16))
    assert [tuple(s.shape[1:]) for s in taps.stages] == [(8, 16, 16), (16, 8, 8), (32, 4, 4), (64, 2, 2)]


@pytest.mark.parametrize(
    'backbone',
    [
        dict(type='mmpretrain.MobileNetV2', out_indices=(2, 4, 6)),
        dict(type='mmpretrain.ShuffleNetV2', out_indices=(0, 1, 2)),
        dict(type='mmpretrain.RegNet', arch='regnetx_400mf', out_indices=(0, 1, 2, 3)),
    ],
    ids=lambda b: b['type'],
)
def test_backbones_without_an_argument_for_channels(backbone):
    network = build(backbone, (7, 32, 32))
    taps = network(torch.randn(2, 7, 32, 32))
    assert taps.logits.shape == (2, 5)
    assert next(m for m in network.modules() if isinstance(m, nn.Conv2d)).in_channels == 7


def test_taps_are_those_of_one_pass_and_the_read_out_is_exact():
    network = build(WRN, (6, 50)).eval()
    taps = network(torch.randn(3, 6, 50))
    torch.testing.assert_close(taps.embedding, taps.stages[-1].mean(2))
    torch.testing.assert_close(taps.logits, taps.cam.mean(2) + network.head.fc.bias)


def test_a_head_of_several_layers_has_no_activation_map():
    head = dict(type='mmpretrain.StackedLinearClsHead', mid_channels=[16])
    taps = build(WRN, (6, 50), head=head)(torch.randn(3, 6, 50))
    assert taps.embedding.shape == (3, 16)
    assert taps.cam is None


def test_weights_bear_the_names_of_the_host_s_classifier():
    peer = ImageClassifier(
        backbone={**cifar(), 'in_channels': 6},
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        head=dict(type='mmpretrain.LinearClsHead', num_classes=5, in_channels=64),
    ).eval()
    network = build(cifar(), (6, 16, 16)).eval()
    network.load_state_dict({k: v for k, v in peer.state_dict().items() if not k.startswith('data_preprocessor')})
    x = torch.randn(2, 6, 16, 16)
    torch.testing.assert_close(network(x).logits, peer(x))


def test_a_stem_that_fits_is_left_alone():
    backbone = MODELS.build({**WRN, 'in_channels': 6})
    stem = next(m for m in backbone.modules() if isinstance(m, nn.Conv1d))
    fit_stem(backbone, 6)
    assert next(m for m in backbone.modules() if isinstance(m, nn.Conv1d)) is stem


def test_a_wider_stem_is_a_copy_with_the_mean_of_the_channels():
    backbone = MODELS.build(dict(type='mmpretrain.EfficientNet', arch='b0'))
    (name, old), *_ = stem_convolutions(backbone).items()
    (new,) = fit_stem(backbone, 5)
    assert backbone.get_submodule(name) is new
    assert type(new) is type(old)  # a convolution with padding of its own
    torch.testing.assert_close(new.weight, old.weight.mean(1, keepdim=True).expand(-1, 5, -1, -1))


def test_all_branches_of_a_stem_are_fitted_and_no_later_layer():
    backbone = MODELS.build(dict(type='mmpretrain.MobileOne', arch='s0'))
    assert [m.in_channels for m in fit_stem(backbone, 2)] == [2, 2]
    narrow = MODELS.build(dict(type='mmpretrain.ResNet_CIFAR', depth=18, base_channels=3, stem_channels=3))
    assert len(fit_stem(narrow, 7)) == 1  # later layers have three channels too


def test_random_numbers_after_a_stem_are_those_after_a_new_layer():
    backbone = MODELS.build({**WRN})
    torch.manual_seed(0)
    nn.Conv1d(7, 16, 3, bias=False)
    expected = torch.rand(3)
    torch.manual_seed(0)
    fit_stem(backbone, 7)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize('channels', [2, 3])
def test_pretrained_weights_for_three_channels_are_averaged(tmp_path, channels):
    torch.manual_seed(0)
    peer = MODELS.build(dict(type='mmpretrain.MobileNetV2'))
    torch.save({'state_dict': {f'backbone.{k}': v for k, v in peer.state_dict().items()}}, tmp_path / 'three.pth')
    pretrained = dict(type='Pretrained', checkpoint=str(tmp_path / 'three.pth'), prefix='backbone')
    network = build(dict(type='mmpretrain.MobileNetV2', init_cfg=pretrained), (channels, 32, 32))
    network.init_weights()
    loaded = network.backbone.conv1.conv.weight
    own = peer.conv1.conv.weight
    torch.testing.assert_close(loaded, own if channels == 3 else own.mean(1, keepdim=True).expand_as(loaded))
    torch.testing.assert_close(network.backbone.conv2.conv.weight, peer.conv2.conv.weight)
    with pytest.raises(
        RuntimeError, match='size mismatch for backbone.conv1.conv.weight'
    ):  # a checkpoint of other data is not bent
        build(dict(type='mmpretrain.MobileNetV2'), (5, 32, 32)).load_state_dict(network.state_dict())


def test_a_backbone_that_pools_itself_gets_no_neck_and_has_no_map():
    taps = build(dict(type='mmpretrain.ConvNeXt', arch='atto'), (4, 32, 32), neck=None)(torch.randn(2, 4, 32, 32))
    assert taps.stages[-1].shape == taps.embedding.shape == (2, 320)
    assert taps.cam is None
    torch.testing.assert_close(taps.classify(taps.embedding), taps.logits)
    with pytest.raises(ValueError, match='its classifier is the pooling of the backbone itself and LinearClsHead, not global'):
        Address.parse('gaf.cam').read({'gaf': taps})


def test_messages():
    with pytest.raises(ValueError, match=r'neck GlobalAveragePooling: dim must be .* \(64, 13\), 1'):
        build(WRN, (6, 50), neck=dict(type='mmpretrain.GlobalAveragePooling', dim=2))
    gem = dict(type='mmpretrain.GeneralizedMeanPooling')
    with pytest.raises(ValueError, match=r'neck GeneralizedMeanPooling cannot read stages that end with \(320,\)'):
        build(dict(type='mmpretrain.ConvNeXt', arch='atto'), (4, 32, 32), neck=gem)
    with pytest.raises(ValueError, match=r'WideResNet cannot read a sample of shape \(6, 50\)'):
        build({**WRN, 'in_channels': 3}, (6, 50))
    with pytest.raises(ValueError, match='has no convolution that could read 4 channels'):
        fit_stem(nn.Sequential(nn.Linear(3, 3)), 4)
    with pytest.raises(ValueError, match='has 3 groups; cannot give it 4'):
        fit_stem(nn.Sequential(nn.Conv1d(3, 3, 1, groups=3)), 4)
