"""Every backbone of mmpretrain reads views of any number of channels, or docs/backbones.md says why not."""

import runpy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope

from mmkd_plugin.models.distillers import Network
from mmkd_plugin.models.distillers.stem import stem_convolutions
from mmkd_plugin.structures import accepted_arguments

LISTS = runpy.run_path(str(Path(__file__).parents[3] / 'tools' / 'dev' / 'lists.py'))
BACKBONES = LISTS['backbones']()
VIT = dict(embed_dims=32, num_layers=2, num_heads=4, feedforward_channels=32)
SWIN = dict(embed_dims=16, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 4])
# Small settings, which save time, and required arguments.
TWINS = dict(
    embed_dims=[16, 16, 32, 32],
    depths=[1, 1, 1, 1],
    num_heads=[1, 1, 2, 2],
    patch_sizes=[4, 2, 2, 2],
    strides=[4, 2, 2, 2],
    mlp_ratios=[2, 2, 2, 2],
    sr_ratios=[8, 4, 2, 1],
)
SETTINGS = dict(
    BEiTViT=dict(arch=VIT),
    CSPDarkNet=dict(depth=53),
    CSPResNeXt=dict(depth=50),
    CSPResNet=dict(depth=50),
    Conformer=dict(arch=dict(embed_dims=32, channel_ratio=1, depths=12, num_heads=2)),
    ConvMixer=dict(arch=dict(embed_dims=32, depth=2, patch_size=4, kernel_size=3)),
    ConvNeXt=dict(arch=dict(depths=[1, 1, 1, 1], channels=[8, 16, 24, 32])),
    DaViT=dict(arch=SWIN),
    DeiT3=dict(arch=VIT),
    DenseNet=dict(arch=dict(growth_rate=8, depths=[1, 1, 1, 1], init_channels=16)),
    DistilledVisionTransformer=dict(arch=VIT),
    EfficientFormer=dict(
        arch=dict(layers=[1, 1, 1, 1], embed_dims=[8, 16, 24, 32], downsamples=[False, True, True, True], vit_num=1)
    ),
    EfficientNetV2=dict(arch='b0'),
    HRNet=dict(arch='w18'),
    HiViT=dict(arch='tiny'),
    HorNet=dict(arch=dict(base_dim=16, depths=[1, 1, 1, 1], orders=[2, 3, 4, 5], dw_cfg=[dict(type='DW', kernel_size=7)] * 4)),
    LeViT=dict(arch='128s'),
    MViT=dict(arch=dict(embed_dims=32, num_layers=4, num_heads=1, downscale_indices=[1, 2, 3])),
    MixMIMTransformer=dict(arch=dict(embed_dims=16, depths=[1, 1, 1, 1], num_heads=[1, 2, 4, 8])),
    MlpMixer=dict(arch=dict(embed_dims=32, num_layers=2, tokens_mlp_dims=16, channels_mlp_dims=32)),
    MobileOne=dict(arch='s0'),
    MobileViT=dict(arch='xx_small'),
    PCPVT=dict(arch=TWINS),
    PyramidVig=dict(arch='tiny'),
    RegNet=dict(arch='regnetx_400mf'),
    RepLKNet=dict(arch=dict(large_kernel_sizes=[7] * 4, layers=[1] * 4, channels=[16, 16, 32, 32], small_kernel=5, dw_ratio=1)),
    RepMLPNet=dict(arch=dict(channels=[8, 16, 32, 64], depths=[1, 1, 1, 1], sharesets_nums=[1, 2, 4, 8])),
    RepVGG=dict(arch='A0'),
    Res2Net=dict(depth=50, base_channels=16),
    ResNeSt=dict(depth=50, base_channels=8),
    ResNeXt=dict(depth=50),
    ResNet=dict(depth=18, base_channels=8, stem_channels=8),
    ResNetV1c=dict(depth=18, base_channels=8, stem_channels=8),
    ResNetV1d=dict(depth=18, base_channels=8, stem_channels=8),
    ResNet_CIFAR=dict(depth=18, base_channels=8, stem_channels=8),
    RevVisionTransformer=dict(arch=VIT),
    SEResNeXt=dict(depth=50),
    SEResNet=dict(depth=50, base_channels=16, stem_channels=16),
    SVT=dict(arch={**TWINS, 'window_sizes': [7, 7, 7, 7]}),
    SwinTransformer=dict(arch=SWIN),
    SwinTransformerV2=dict(arch={**SWIN, 'extra_norm_every_n_blocks': 0}),
    TIMMBackbone=dict(model_name='resnet18'),
    TNT=dict(
        arch=dict(embed_dims_outer=32, embed_dims_inner=8, num_layers=2, num_heads_outer=2, num_heads_inner=2),
    ),
    VGG=dict(depth=11),
    Vig=dict(arch='tiny'),
    ViTSAM=dict(arch={**VIT, 'global_attn_indexes': [1]}, patch_size=8, window_size=4),
    VisionTransformer=dict(arch=VIT),
    XCiT=dict(embed_dims=64, depth=2, num_heads=4, patch_size=16),
)
SIZES = dict(AlexNet=63, EfficientFormer=224, InceptionV3=75, PyramidVig=224, Vig=224)


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        yield


def build(name, channels=7, **more):
    size = SIZES.get(name, 32)
    cfg = dict(type=name, **{**SETTINGS.get(name, {}), **LISTS['NEEDED'].get(name, {}), **more})
    return Network(cfg, (channels, size, size), 4), torch.randn(2, channels, size, size)


@pytest.mark.parametrize('name', [name for name in BACKBONES if name not in LISTS['UNUSABLE']])
def test_every_backbone_of_the_host_learns_from_images_of_seven_channels(name):
    if name == 'TIMMBackbone':
        pytest.importorskip('timm')
    torch.manual_seed(0)
    network, x = build(name)
    taps = network(x)
    assert taps.logits.shape == (2, 4)
    assert taps.embedding.shape[0] == 2
    assert taps.embedding.dim() == 2
    F.cross_entropy(taps.logits, torch.tensor([0, 1])).backward()
    if name != 'T2T_ViT':  # it unfolds the image
        for convolution in stem_convolutions(network.backbone).values():
            assert convolution.in_channels == 7
            assert convolution.weight.grad.abs().sum((0, 2, 3)).gt(0).all()  # of every channel


@pytest.mark.parametrize('name', ['LeNet5', 'EfficientNet', 'RepVGG', 'T2T_ViT', 'VisionTransformer'])
@pytest.mark.parametrize('channels', [1, 3, 40])
def test_stems_of_every_kind_read_any_number_of_channels(name, channels):
    network, x = build(name, channels)
    assert network(x).logits.shape == (2, 4)


@pytest.mark.parametrize('name', list(LISTS['UNUSABLE']))
def test_a_backbone_that_reads_masks_is_refused_by_name(name):
    with pytest.raises(ValueError, match=rf'{name} cannot read a sample of shape \(7, 32, 32\)'):
        Network(dict(type=name, **({} if 'Conv' in name else dict(depth=50))), (7, 32, 32), 4)


def test_what_the_page_says_is_needed_is_what_is_refused_without_it():
    for name, backbone in BACKBONES.items():
        required = accepted_arguments(backbone).required
        assert name in LISTS['UNUSABLE'] or set(required) <= set(SETTINGS.get(name, ())), name
    assert set(SIZES) == set(LISTS['IMAGES'])
    for name in (*LISTS['NEEDED'], 'AlexNet', 'EfficientFormer', 'InceptionV3', 'Vig'):
        if name == 'PoolFormer':
            assert not stem_convolutions(Network(dict(type=name), (7, 32, 32), 4).backbone)[
                'patch_embed.proj'
            ].weight.requires_grad
            continue
        with pytest.raises(ValueError, match=f'{name} cannot read a sample of shape'):
            Network(dict(type=name, **SETTINGS.get(name, {})), (7, 32, 32), 4)


def maps():
    for name, backbone in BACKBONES.items():
        accepted = accepted_arguments(backbone).names
        if 'gap_before_final_norm' in accepted:
            yield name, dict(gap_before_final_norm=False)
        elif 'out_type' in accepted and name != 'ViTSAM':
            yield name, dict(out_type='featmap')


@pytest.mark.parametrize(('name', 'arguments'), list(maps()), ids=[name for name, _ in maps()])
def test_the_argument_of_the_page_gives_a_map(name, arguments):
    network, x = build(name, **arguments)
    taps = network(x)
    assert taps.stages[-1].dim() == 4
    assert taps.cam.shape[:2] == (2, 4)
