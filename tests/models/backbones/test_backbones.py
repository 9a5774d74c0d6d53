from itertools import pairwise

import pytest
import torch
from mmpretrain import registry as host
from torch import nn

from mmkd_plugin.models.backbones import MobileNetV2For1d, ResNet1d, VGG1d, WideResNet
from mmkd_plugin.registry import MODELS

SIZES = {
    (1, 16, 1): 63_020,
    (1, 16, 3): 537_644,
    (1, 28, 1): 128_428,
    (1, 28, 3): 1_120_940,
    (1, 40, 1): 193_836,
    (2, 16, 1): 180_524,
    (2, 16, 3): 1_555_244,
    (2, 28, 1): 374_956,
    (2, 28, 3): 3_299_756,
    (2, 40, 1): 569_388,
}
ONE_DIMENSIONAL = [
    dict(type='WideResNet', dim=1, depth=16),
    dict(type='ResNet1d', depth=8),
    dict(type='ResNet1d', depth=20),
    dict(type='ResNet1d', depth=44),
    dict(type='VGG1d'),
    dict(type='MobileNetV2_1d'),
]


def parameters(backbone, classes):
    return sum(p.numel() for p in backbone.parameters()) + (backbone.out_channels[-1] + 1) * classes


@pytest.mark.parametrize(('dim', 'depth', 'widen'), SIZES)
def test_wide_resnets_have_the_published_number_of_parameters(dim, depth, widen):
    assert parameters(WideResNet(depth, widen, dim, in_channels=40), 12) == SIZES[dim, depth, widen]


def test_three_channels_and_fourteen_classes():
    assert parameters(WideResNet(16, 1, 1, in_channels=3), 14) == 61_374


@pytest.mark.parametrize('depth', [8, 20, 44])
def test_resnets_have_the_parameters_that_their_definition_counts(depth):
    blocks, total, width_in = (depth - 2) // 6, 3 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        for index in range(blocks):
            start = width_in if index == 0 else width
            total += 3 * start * width + 3 * width * width + 4 * width
            if start != width:
                total += start * width + 2 * width
        width_in = width
    assert sum(p.numel() for p in ResNet1d(depth).parameters()) == total


@pytest.mark.parametrize('cfg', ONE_DIMENSIONAL, ids=lambda c: f'{c["type"]}-{c.get("depth", "")}')
def test_stages_of_an_odd_length_and_gradients(cfg):
    backbone = MODELS.build({**cfg, 'in_channels': 5})
    stages = backbone(torch.randn(2, 5, 125))
    assert tuple(s.shape[1] for s in stages) == backbone.out_channels
    lengths = [s.shape[2] for s in stages]
    assert lengths[0] == 125
    assert all(b in (a, a // 2, (a + 1) // 2) for a, b in pairwise(lengths))
    sum(s.sum() for s in stages).backward()
    assert all(p.grad is not None for p in backbone.parameters())


def test_images_have_the_stages_of_signals():
    one, two = WideResNet(16, 2, 1), WideResNet(16, 2, 2)
    assert one.out_channels == two.out_channels == (32, 64, 128)
    assert [tuple(s.shape[2:]) for s in two(torch.randn(1, 3, 33, 20))] == [(33, 20), (17, 10), (9, 5)]


def test_the_last_stage_has_gone_through_its_activation_and_the_first_has_not():
    stages = WideResNet(16)(torch.randn(4, 3, 60))
    assert stages[2].min() >= 0
    assert stages[0].min() < 0


@pytest.mark.parametrize('cfg', ONE_DIMENSIONAL, ids=lambda c: f'{c["type"]}-{c.get("depth", "")}')
def test_every_backbone_is_found_and_initialised(cfg):
    backbone = host.MODELS.build({**cfg, 'type': f'mmkd_plugin.{cfg["type"]}'})
    conv = next(m for m in backbone.modules() if isinstance(m, nn.Conv1d))
    norm = next(m for m in backbone.modules() if isinstance(m, nn.BatchNorm1d))
    before = conv.weight.clone()
    with torch.no_grad():
        norm.weight.fill_(3)
    backbone.init_weights()
    assert not torch.equal(before, conv.weight)
    assert torch.equal(norm.weight, torch.ones_like(norm.weight))


def test_widths_of_mobilenet_are_multiples_of_8():
    assert all(c % 8 == 0 for c in MobileNetV2For1d(widen_factor=0.35).out_channels)
    assert MobileNetV2For1d().out_channels == (24, 32, 96, 1280)


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (lambda: WideResNet(15), r'depth must be 6n \+ 4 with n at least 1 .* got 15'),
        (lambda: WideResNet(16, dim=3), 'dim must be 1 or 2, got 3'),
        (lambda: ResNet1d(18), r'depth must be 6n \+ 2 with n at least 1 .* got 18'),
        (lambda: VGG1d(16), 'depth must be one of 8, 11, 13, got 16'),
        (lambda: VGG1d()(torch.zeros(1, 3, 7)), 'needs at least 8 samples, got 7'),
        (lambda: MobileNetV2For1d(widen_factor=0), 'widen_factor must be above 0, got 0'),
    ],
)
def test_messages(build, message):
    with pytest.raises(ValueError, match=message):
        build()
