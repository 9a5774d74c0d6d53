"""Modules from elsewhere, read at the taps that a config names."""

import copy

import pytest
import torch
from mmengine.registry import DefaultScope
from outside import Deciding, Sensor
from small_distiller import config, losses
from torchvision.models import resnet18

from mmkd_plugin.models.distillers import ExternalNetwork, load_network
from mmkd_plugin.registry import MODELS

TAPS = dict(embedding='dropout', stages=['layer1', 'layer2'])


def network(factory='outside:Sensor', **settings):
    torch.manual_seed(0)
    return ExternalNetwork(factory, (3, 40), 4, **settings)


def test_taps_are_what_the_submodules_give():
    torch.manual_seed(0)
    module, x = Sensor((3, 40), 4).eval(), torch.randn(5, 3, 40)
    with torch.no_grad():
        taps = network(taps=TAPS).eval()(x)
        first = module.layer1(x)
        expected = [first, module.layer2(first), module.layer2(first).mean(2), module(x)]
    for value, other in zip([*taps.stages, taps.embedding, taps.logits], expected, strict=True):
        assert torch.equal(value, other)
    assert taps.cam is None


def test_a_network_of_torchvision_reads_images_and_its_own_checkpoint(tmp_path):
    torch.manual_seed(1)
    module = resnet18(num_classes=4).eval()
    torch.save(module.state_dict(), tmp_path / 'resnet18.pth')
    taps = dict(embedding='flatten', stages=['layer2', 'layer4'])
    settings = dict(arguments=dict(num_classes=4), taps=taps, classifier='fc')
    external = ExternalNetwork('torchvision.models:resnet18', (3, 32, 32), 4, **settings).eval()
    load_network(external, tmp_path / 'resnet18.pth')
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        taps, logits = external(x), module(x)
    torch.testing.assert_close(taps.logits, logits)
    torch.testing.assert_close(taps.cam.mean((2, 3)) + module.fc.bias, logits)
    assert [tuple(stage.shape[1:]) for stage in taps.stages] == [(128, 4, 4), (512, 1, 1)]


def test_modes_switch_dropout_and_a_copy_is_its_own():
    external, x = network(taps=TAPS), torch.ones(4, 3, 40)
    other = copy.deepcopy(external)
    other.external.fc.weight.data.zero_()
    assert external.training
    assert not torch.equal(external(x).logits, external(x).logits)
    assert torch.equal(external.eval()(x).logits, external(x).logits)
    assert not torch.equal(other.eval()(x).logits, external(x).logits)


def test_weights_that_no_tap_needs_are_left_out_of_a_checkpoint(tmp_path):
    external = network(taps=TAPS)
    assert not any('auxiliary' in name for name in external.state_dict())
    torch.save(Sensor((3, 40), 4).state_dict(), tmp_path / 'own.pth')
    load_network(external, tmp_path / 'own.pth')
    torch.save(Sensor((3, 40), 4, width=4).state_dict(), tmp_path / 'narrow.pth')
    with pytest.raises(
        ValueError, match=r'narrow.pth does not fit the network: external.layer1.0.weight: \(4, 3, 3\), expected'
    ):
        load_network(external, tmp_path / 'narrow.pth')


def test_a_module_that_cannot_be_traced_returns_a_dict():
    torch.manual_seed(0)
    module, x = Deciding(4).eval(), torch.randn(2, 3, 40)
    external = network('outside:Deciding').eval()
    renamed = network(
        'outside:Deciding',
        arguments=dict(keys=['out', 'code', 'map']),
        taps=dict(logits='out', embedding='code', stages=['map']),
    ).eval()
    for each in (external, renamed):
        taps = each(x)
        assert torch.equal(taps.logits, module(x)['logits'])
        assert taps.names() == ['stages.0', 'embedding', 'logits']


def test_a_distiller_learns_from_one_and_trains_one():
    """As a teacher without sizes in the config, as a learner with a label loss, and with the factory's own weights."""
    external = dict(type='ExternalNetwork', factory='outside:pretrained', taps=TAPS)
    hint = dict(type='FeatureTransfer', source='sig.stages.1', target='student.stages.1', connector=dict(type='ConvConnector'))
    kd = dict(type='ResponseTransfer', source='sig.logits', target='student.logits')
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        model = MODELS.build(
            config(
                learners=dict(peer=dict(view='sig', network={**external, 'factory': 'outside:Sensor'})),
                teachers=dict(gaf=None, sig=dict(view='sig', network=external)),
                transfers=dict(fam=None, kd=kd, hint=hint),
            )
        )
        model.untrained.clear()
        model.init_weights()
        terms = losses(model)
        sum(terms.values()).backward()
    assert set(terms) == {'loss_student', 'loss_peer', 'loss_kd', 'loss_hint'}
    assert (model.teachers['sig'].external.fc.weight == 0.25).all()
    assert [n for n, p in model.learners['peer'].named_parameters() if p.grad is None] == []
    assert model.learners['peer'].external.fc.weight.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in model.teachers['sig'].parameters())


@pytest.mark.parametrize('source', ['sig.cam', 'sig.stages.0', 'sig.embedding'])
def test_a_tap_that_is_not_named_is_refused(source):
    external = dict(type='ExternalNetwork', factory='outside:Sensor')
    transfer = dict(type='FeatureTransfer', source=source, target='student.' + source.partition('.')[2])
    with (
        DefaultScope.overwrite_default_scope('mmkd_plugin'),
        pytest.raises(ValueError, match="^transfer 'hint': address") as error,
    ):
        MODELS.build(
            config(
                teachers=dict(gaf=None, sig=dict(view='sig', network=external)),
                transfers=dict(fam=None, kd=None, hint=transfer),
            )
        )
    expected = 'its classifier is that of outside:Sensor' if 'cam' in source else 'its outputs are logits'
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(factory='outside.Sensor'), "factory must be 'package.module:function', got 'outside.Sensor'"),
        (
            dict(factory='outsidde:Sensor'),
            'factory outsidde:Sensor: outsidde cannot be imported: ModuleNotFoundError: No module',
        ),
        (dict(factory='outside:Sensr'), "factory outside:Sensr: outside has no function 'Sensr'; did you mean 'Sensor'?"),
        (dict(factory='outside:broken'), 'outside:broken cannot be built: RuntimeError: the disk of weights is not mounted'),
        (dict(factory='outside:nothing'), 'outside:nothing gives a NoneType, expected a torch.nn.Module'),
        (dict(factory='outside:pair'), 'outside:pair returns a tuple, expected a tensor of logits, or a dict of tensors'),
        (dict(arguments=dict(widht=3)), "outside:Sensor takes no 'widht'; did you mean 'width'?"),
        (dict(factory='torch.nn:Linear'), 'torch.nn:Linear needs in_features, out_features: arguments=dict(...)'),
        (dict(arguments=dict(sample_shape=(5, 40))), 'outside:Sensor cannot read a sample of shape (3, 40): '),
        (
            dict(arguments=dict(num_classes=7)),
            "outside:Sensor: 'fc' gives (1, 7) for logits, expected (1, 4); the factory gets num_cl",
        ),
        (dict(taps=dict(stage='layer1')), "taps: there is no tap 'stage'; did you mean 'stages'?"),
        (dict(taps=dict(stages='layer1')), "taps: stages must be a list of names, got 'layer1'"),
        (dict(taps=dict(embedding=['layer1'])), "taps: embedding must be a name, got ['layer1']"),
        (
            dict(taps=dict(stages=['layr1'])),
            "outside:Sensor has no step 'layr1', which taps name for stages.0; did you mean 'layer1'?",
        ),
        (dict(taps=dict(embedding='layer1')), "outside:Sensor: 'layer1' gives (1, 8, 40) for embedding, expected (1, C)"),
        (dict(factory='outside:Softmax'), "outside:Softmax does not return its last step, 'softmax': name logits in taps"),
        (
            dict(factory='outside:Deciding', arguments=dict(named=False)),
            "outside:Deciding cannot be traced, so let the module return a dict of tensors, {'logits': ..., 'embedding': ..., "
            "'stages.0': ...}: symbolically traced var",
        ),
        (dict(factory='outside:Deciding', arguments=dict(keys=['a', 'b', 'c'])), 'no tap is logits; it has a, b, c'),
        (
            dict(factory='outside:Deciding', taps=dict(logits='logit')),
            "outside:Deciding returns a dict, and taps name its keys: there is no key 'logit'; did you mean 'logits'?",
        ),
        (dict(classifier='fcc', taps=TAPS), "classifier='fcc': there is no linear layer 'fcc'; did you mean 'fc'?"),
        (dict(classifier='fc'), "outside:Sensor: classifier='fc' reads a stage, and taps name none"),
        (dict(classifier='fc', taps=dict(stages=['layer1'])), 'expected 16 channels'),
        (dict(head=dict(type='LinearClsHead', num_classes=4, in_channels=16)), 'head LinearClsHead has layers of its own'),
    ],
)
def test_what_cannot_be_is_refused_with_the_nearest_name(settings, message):
    with DefaultScope.overwrite_default_scope('mmkd_plugin'), pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared
        network(**settings)
    assert message in str(error.value)
