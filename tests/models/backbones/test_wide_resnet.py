import pytest
import torch
from torch import nn

from mmkd_plugin.models.backbones import WideResNet
from mmkd_plugin.registry import MODELS

# 40 channels and 12 classes, the linear head with it.
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


def with_head(backbone, classes):
    return nn.ModuleList([backbone, nn.Linear(backbone.out_channels[-1], classes)])


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(('dim', 'depth', 'widen'), SIZES)
def test_the_published_number_of_parameters(dim, depth, widen):
    assert count(with_head(WideResNet(depth, widen, dim, in_channels=40), 12)) == SIZES[dim, depth, widen]


def test_three_channels_and_fourteen_classes():
    assert count(with_head(WideResNet(16), 14)) == 61_374


@pytest.mark.parametrize('depth', [16, 28])
@pytest.mark.parametrize('widen', [1, 3])
def test_signals_and_images_share_their_stage_channels(depth, widen):
    one, two = WideResNet(depth, widen, dim=1), WideResNet(depth, widen, dim=2)
    assert one.out_channels == two.out_channels == (16 * widen, 32 * widen, 64 * widen)
    signal, image = one(torch.randn(2, 3, 33)), two(torch.randn(2, 3, 33, 20))
    assert [s.shape[1] for s in signal] == [s.shape[1] for s in image]


@pytest.mark.parametrize(('widen', 'first'), [(1, False), (2, True)])
def test_a_shortcut_is_a_convolution_exactly_where_the_shape_changes(widen, first):
    stages = WideResNet(16, widen).stages
    assert [[block.shortcut is not None for block in stage] for stage in stages] == [
        [first, False],
        [True, False],
        [True, False],
    ]


def test_a_block_whose_last_convolution_is_zero_hands_its_input_on():
    block = WideResNet(16).stages[0][0]
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 16, 9)
    assert torch.equal(block(x.clone()), x)


@pytest.mark.parametrize(('dim', 'shape'), [(1, (60,)), (2, (20, 14))])
def test_the_last_stage_has_gone_through_its_activation_and_the_others_have_not(dim, shape):
    stages = WideResNet(16, dim=dim)(torch.randn(4, 3, *shape))
    assert stages[2].min() == 0
    assert stages[0].min() < 0
    assert stages[1].min() < 0


def test_later_stages_leave_earlier_ones_as_they_were():
    backbone = WideResNet(16).eval()
    x = torch.randn(2, 3, 30)
    assert torch.equal(backbone(x)[0], backbone.stages[0](backbone.stem(x)))


def test_dropout_acts_in_training_alone():
    backbone = WideResNet(10, dropout=0.5)
    x = torch.randn(2, 3, 30)
    assert not torch.equal(backbone(x)[-1], backbone(x)[-1])
    backbone.eval()
    assert torch.equal(backbone(x)[-1], backbone(x)[-1])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(depth=15), r'depth must be 6n \+ 4 with n at least 1 \(10, 16, 22, 28, 40, …\), got 15'),
        (dict(depth=4), r'depth must be 6n \+ 4 with n at least 1 .* got 4'),
        (dict(dim=3), 'dim must be 1 or 2, got 3'),
        (dict(widen_factor=0), 'widen_factor must be an integer of at least 1, got 0'),
        (dict(widen_factor=1.5), 'widen_factor must be an integer of at least 1, got 1.5'),
    ],
)
def test_the_message_of_an_impossible_network(changes, message):
    with pytest.raises(ValueError, match=message):
        WideResNet(**{'depth': 16, **changes})


def test_it_comes_from_the_registry_with_one_argument():
    backbone = MODELS.build(dict(type='WideResNet', depth=16))
    assert isinstance(backbone, WideResNet)
    assert isinstance(backbone.stem, nn.Conv1d)
