"""Checkpoints of wide residual networks as published code has them, built anew here, and what is no such checkpoint."""

import pytest
import torch
import torch.nn.functional as F
from helpers import call
from torch import nn

from mmkd_plugin.apis.imports import import_checkpoint
from mmkd_plugin.fileio import load_checkpoint
from mmkd_plugin.models.distillers import Network, load_network

CONV, NORM = {1: nn.Conv1d, 2: nn.Conv2d}, {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}
# Parts of a block and of the network in the code for CIFAR that most repositories carry, and in that of TDA_KD.
NAMES = {
    'common': dict(group='layer', norm1='bn1', norm2='bn2', shortcut='convShortcut', norm='bn1'),
    'TDA_KD': dict(group='nblockLayer', norm1='batch_norm1', norm2='batch_norm2', shortcut='conv_inp', norm='batch_norm'),
}


class Block(nn.Module):
    def __init__(self, dim, before, width, stride, names):
        super().__init__()
        self.names, self.equal = names, before == width
        self.add_module(names['norm1'], NORM[dim](before))
        self.conv1 = CONV[dim](before, width, 3, stride, 1, bias=False)
        self.add_module(names['norm2'], NORM[dim](width))
        self.conv2 = CONV[dim](width, width, 3, 1, 1, bias=False)
        if not self.equal:
            self.add_module(names['shortcut'], CONV[dim](before, width, 1, stride, 0, bias=False))

    def forward(self, x):
        part = lambda name: getattr(self, self.names[name])  # noqa: E731
        active = F.relu(part('norm1')(x))
        out = self.conv2(F.relu(part('norm2')(self.conv1(active))))
        return out + (x if self.equal else part('shortcut')(active))


class Group(nn.Module):
    def __init__(self, dim, count, before, width, stride, names):
        super().__init__()
        blocks = [Block(dim, before if i == 0 else width, width, stride if i == 0 else 1, names) for i in range(count)]
        self.add_module(names['group'], nn.Sequential(*blocks))

    def forward(self, x):
        return next(self.children())(x)


class PublishedNet(nn.Module):
    """Wide residual network by the names of published code."""

    def __init__(self, dim, depth, k, channels, classes, names):
        super().__init__()
        widths, count = [16, 16 * k, 32 * k, 64 * k], (depth - 4) // 6
        self.conv1 = CONV[dim](channels, 16, 3, 1, 1, bias=False)
        for index, stride in enumerate((1, 2, 2), 1):
            self.add_module(f'block{index}', Group(dim, count, widths[index - 1], widths[index], stride, names))
        self.norm = names['norm']
        self.add_module(self.norm, NORM[dim](64 * k))
        self.fc = nn.Linear(64 * k, classes)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(F.relu(getattr(self, self.norm)(x)).flatten(2).mean(2))


def published(dim, depth, k, names='common', channels=5, classes=4):
    torch.manual_seed(depth + k)
    net = PublishedNet(dim, depth, k, channels, classes, NAMES[names])
    with torch.no_grad():  # running statistics and scales as after training
        for name, value in net.named_buffers():
            if 'running' in name:
                value.uniform_(0.5, 2.0)
        for module in net.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.5, 0.5)
    return net.eval()


@pytest.mark.parametrize(
    ('dim', 'depth', 'k', 'names', 'wrap'),
    [
        (
            1,
            16,
            1,
            'common',
            lambda state: {'state_dict': {f'module.{n}': v for n, v in state.items()}, 'epoch': 3, 'best': 82.9},
        ),
        (2, 16, 3, 'TDA_KD', lambda state: {'model_state_dict': state, 'optimizer_state_dict': {'state': {}}, 'epoch': 3}),
        (1, 28, 3, 'TDA_KD', lambda state: state),
        (2, 10, 2, 'common', lambda state: {'net': state}),
        (1, 10, 1, 'common', lambda state: {'model': {n: v for n, v in state.items() if 'tracked' not in n}}),  # of torch 0.4
    ],
)
def test_the_network_answers_as_the_published_one(dim, depth, k, names, wrap, tmp_path):
    net = published(dim, depth, k, names)
    torch.save(wrap(net.state_dict()), tmp_path / 'old.pth.tar')
    done = import_checkpoint(tmp_path / 'old.pth.tar', tmp_path / 'new.pth')
    assert done['network'] == dict(backbone=dict(type='WideResNet', dim=dim, depth=depth, widen_factor=k))
    assert (done['channels'], done['classes']) == (5, 4)
    assert done['params'] == sum(parameter.numel() for parameter in net.parameters())
    shape = (5, 24, 20)[: dim + 1]
    ours = Network(**done['network'], sample_shape=shape, num_classes=4).eval()
    meta = load_network(ours, tmp_path / 'new.pth')
    assert meta['imported']['file'] == 'old.pth.tar'
    x = torch.randn(3, *shape)
    with torch.no_grad():
        torch.testing.assert_close(ours(x).logits, net(x), atol=1e-5, rtol=1e-5)


def test_the_old_format_of_torch_and_the_command(tmp_path):
    net = published(1, 10, 1)
    torch.save(dict(state_dict=net.state_dict(), epoch=2), tmp_path / 'old.pth.tar', _use_new_zipfile_serialization=False)
    done = call('import', 'checkpoint', 'old.pth.tar', 'new.pth', folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.splitlines() == [
        f'{sum(p.numel() for p in net.parameters()):,} parameters, 5 channels, 4 classes: new.pth',
        'left out: epoch',
        "in a config: network={'backbone': {'type': 'WideResNet', 'dim': 1, 'depth': 10, 'widen_factor': 1}}, checkpoint='new.pth'",
    ]
    assert load_checkpoint(tmp_path / 'new.pth')['state_dict']['head.fc.weight'].shape == (4, 64)


def changed(**more):
    """The weights of a small network with others in the place of some; None takes one away."""
    state = {**published(1, 10, 1).state_dict(), **{name.replace('__', '.'): value for name, value in more.items()}}
    return {name: value for name, value in state.items() if value is not None}


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (
            lambda: changed(layer1__0__bn1__weight=torch.ones(16)),
            r'has layer1\.0\.bn1\.weight, which no known wide residual network',
        ),
        (
            lambda: changed(**{f'block1__layer__0__shortcut__{i}__weight': torch.ones(1) for i in range(5)}),
            r'\(\+2 more\), which no',
        ),
        (lambda: changed(batch_norm__weight=torch.ones(64)), 'has a weight twice, in the names of two repositories'),
        (lambda: changed(conv1__weight=None), 'lacks weights of a wide residual network: expected conv1, block1 to block3'),
        (lambda: changed(conv1__bias=torch.ones(16)), r'does not fit the network: backbone\.stem\.bias: not in the network'),
        (lambda: changed(block2__layer__0__convShortcut__weight=None), r'stages\.1\.0\.shortcut\.weight: missing'),
        (lambda: changed(conv1__weight=torch.ones(8, 5, 3)), r'backbone\.stem\.weight: \(8, 5, 3\), expected \(16, 5, 3\)'),
        (
            lambda: changed(conv1__weight=torch.ones(16, 5)),
            r'a first convolution of shape \(16, 5\), .* expected a convolution in',
        ),
        (lambda: changed(fc__bias=torch.full((4,), torch.nan)), r'head\.fc\.bias has values that are not finite'),
        (
            lambda: {'epoch': 3, 'acc': 82.9},
            'has epoch, acc, expected weights, by themselves or under state_dict, model_state_dict',
        ),
        (lambda: {'state_dict': {}}, 'has nothing, expected weights'),
        (lambda: [1, 2], 'holds a list, expected a dict of weights'),
    ],
)
def test_messages(content, message, tmp_path):
    torch.save(content(), tmp_path / 'old.pth.tar')
    with pytest.raises(ValueError, match=message) as caught:
        import_checkpoint(tmp_path / 'old.pth.tar', tmp_path / 'new.pth')
    assert '\n' not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ['old.pth.tar']


def test_a_pickled_module_is_refused_with_what_to_do(tmp_path):
    torch.save({'net': nn.Linear(2, 2)}, tmp_path / 'module.pth.tar')
    done = call('import', 'checkpoint', 'module.pth.tar', 'new.pth', folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count('\n')) == (1, '', 1)
    assert 'torch.nn.modules.linear.Linear' in done.stderr
    assert done.stderr.endswith(
        'a pickled module would run code; torch.save(model.state_dict(), ...) where it was made saves the weights alone\n'
    )
