from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from mmpretrain import registry as host
from mmpretrain.models import MobileNetV2
from torch import nn

from mmkd_plugin.models.backbones import MobileNetV2For1d, ResNet1d, VGG1d
from mmkd_plugin.registry import MODELS

# Each network, and the shapes of its stages for 5 channels and 125 samples, or 125 by 50 pixels.
RESNET = [(16, 125), (32, 63), (64, 32)]
STAGES = [
    (dict(type='WideResNet', depth=16), RESNET),
    (dict(type='WideResNet', depth=10, widen_factor=2), [(32, 125), (64, 63), (128, 32)]),
    (dict(type='WideResNet', depth=10, dim=2), [(16, 125, 50), (32, 63, 25), (64, 32, 13)]),
    (dict(type='ResNet1d', depth=8), RESNET),
    (dict(type='ResNet1d', depth=20), RESNET),
    (dict(type='ResNet1d', depth=44), RESNET),
    (dict(type='VGG1d'), [(64, 125), (128, 63), (256, 32), (512, 16), (512, 8)]),
    (dict(type='VGG1d', depth=13), [(64, 125), (128, 63), (256, 32), (512, 16), (512, 8)]),
    (dict(type='MobileNetV2_1d'), [(24, 125), (32, 63), (96, 32), (1280, 16)]),
    (dict(type='MobileNetV2_1d', widen_factor=0.5), [(16, 125), (16, 63), (48, 32), (1280, 16)]),
]
every_backbone = pytest.mark.parametrize(('cfg', 'shapes'), STAGES, ids=['-'.join(map(str, cfg.values())) for cfg, _ in STAGES])


def sample(shapes):
    return torch.randn(4, 5, *shapes[0][1:])


def count(module):
    return sum(p.numel() for p in module.parameters())


@every_backbone
def test_every_stage_comes_shallow_to_deep_and_keeps_odd_lengths(cfg, shapes):
    backbone = MODELS.build({**cfg, 'in_channels': 5})
    stages = backbone(sample(shapes))
    assert isinstance(stages, tuple)
    assert [tuple(s.shape) for s in stages] == [(4, *shape) for shape in shapes]
    assert backbone.out_channels == tuple(shape[0] for shape in shapes)


@every_backbone
def test_the_label_reaches_every_parameter(cfg, shapes):
    torch.manual_seed(0)
    backbone = MODELS.build({**cfg, 'in_channels': 5})
    backbone.init_weights()
    pooled = backbone(sample(shapes))[-1].flatten(2).mean(2)
    F.cross_entropy(nn.Linear(backbone.out_channels[-1], 3)(pooled), torch.tensor([0, 1, 2, 0])).backward()
    assert [name for name, p in backbone.named_parameters() if p.grad is None or not p.grad.any()] == []


@every_backbone
def test_a_trained_network_gives_the_same_logits_twice_and_alone(cfg, shapes):
    backbone = MODELS.build({**cfg, 'in_channels': 5})
    x = sample(shapes)
    backbone(x)  # running statistics that are not the start's
    backbone.eval()
    given = x.clone()
    first, second, alone = backbone(x), backbone(x), backbone(x[:1])
    assert torch.equal(x, given)
    for a, b, c in zip(first, second, alone):
        assert torch.equal(a, b)
        torch.testing.assert_close(a[:1], c, rtol=1e-3, atol=1e-4)


@every_backbone
def test_the_host_finds_it_and_its_weights_start_as_the_house_starts_them(cfg, shapes):
    backbone = host.MODELS.build({**cfg, 'type': f'mmkd_plugin.{cfg["type"]}'})
    convs = [m for m in backbone.modules() if isinstance(m, nn.Conv1d | nn.Conv2d)]
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    before = [m.weight.clone() for m in convs]
    for norm in norms:
        nn.init.constant_(norm.weight, 3)
    backbone.init_weights()
    assert not any(torch.equal(old, m.weight) for old, m in zip(before, convs))
    assert all((m.weight == 1).all() and (m.bias == 0).all() for m in norms)
    deepest = max(convs, key=lambda m: m.weight.numel())
    fan_out = deepest.out_channels * deepest.weight[0, 0].numel()
    assert deepest.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1)


@pytest.mark.parametrize('name', ['ResNet1d', 'VGG1d', 'MobileNetV2_1d', 'WideResNet'])
def test_no_name_hides_one_of_the_host(name):
    assert host.MODELS.get(name) is None


def test_an_empty_init_cfg_leaves_the_weights_to_torch():
    backbone = VGG1d(init_cfg=[])
    before = backbone.stages[0][0].weight.clone()
    backbone.init_weights()
    assert torch.equal(before, backbone.stages[0][0].weight)


@pytest.mark.parametrize('depth', [8, 20, 44])
def test_resnets_have_the_parameters_that_their_definition_counts(depth):
    more = (depth - 2) // 6 - 1  # blocks of a group after its first
    block = {width: 2 * 3 * width**2 + 4 * width for width in (16, 32, 64)}
    stem = 3 * 3 * 16 + 2 * 16
    wider = sum(3 * c * 2 * c + 3 * (2 * c) ** 2 + 4 * 2 * c + c * 2 * c + 2 * 2 * c for c in (16, 32))
    head = 64 * 14 + 14
    total = stem + block[16] + wider + more * sum(block.values()) + head
    backbone = ResNet1d(depth)
    assert count(nn.ModuleList([backbone, nn.Linear(backbone.out_channels[-1], 14)])) == total


def test_vgg8_has_five_convolutions_with_norms():
    widths = (3, 64, 128, 256, 512, 512)
    total = sum(3 * a * b + 2 * b for a, b in pairwise(widths)) + 512 * 14 + 14
    backbone = VGG1d()
    assert count(nn.ModuleList([backbone, nn.Linear(512, 14)])) == total


@pytest.mark.parametrize('widen', [0.35, 0.5, 1.0, 1.5])
def test_mobilenet_has_the_parameters_of_the_images_one_with_kernels_of_one_row(widen):
    images = sum(p.numel() // (p.shape[-1] if p.ndim == 4 else 1) for p in MobileNetV2(widen).parameters())
    backbone = MobileNetV2For1d(widen_factor=widen)
    assert count(backbone) == images
    assert all(c % 8 == 0 for c in backbone.out_channels)


@pytest.mark.parametrize(
    ('length', 'lengths'), [(16, [16, 8, 4, 2, 1]), (17, [17, 9, 5, 3, 2]), (500, [500, 250, 125, 63, 32])]
)
def test_the_pools_of_vgg_round_up(length, lengths):
    assert [s.shape[2] for s in VGG1d()(torch.randn(2, 3, length))] == lengths


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (lambda: ResNet1d(18), r'depth must be 6n \+ 2 with n at least 1 .* got 18'),
        (lambda: ResNet1d(2), r'depth must be 6n \+ 2 with n at least 1 .* got 2'),
        (lambda: VGG1d(16), 'depth must be one of 8, 11, 13, got 16'),
        (lambda: VGG1d()(torch.zeros(1, 3, 15)), 'halves the length four times and needs at least 16 samples, got 15'),
        (lambda: MobileNetV2For1d(widen_factor=0), 'widen_factor must be above 0, got 0'),
    ],
)
def test_messages(build, message):
    with pytest.raises(ValueError, match=message):
        build()
