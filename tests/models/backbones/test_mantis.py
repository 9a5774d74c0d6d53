"""Mantis as a frozen backbone, with random weights: its published ones are not part of any package."""

import importlib.util

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope

from mmkd_plugin.models.backbones import Mantis
from mmkd_plugin.registry import MODELS

HAS_MANTIS = importlib.util.find_spec('mantis') is not None
needs_mantis = pytest.mark.skipif(not HAS_MANTIS, reason="mantis-tsfm is not installed: pip install 'mmkd_plugin[mantis]'")


@pytest.fixture(scope='module')
def published(tmp_path_factory):
    """The model of the package, and its weights as torch and as safetensors write them, there by the older names."""
    from mantis.architecture import MantisV1
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp('mantis')
    torch.manual_seed(0)
    model = MantisV1(device='cpu').eval()
    torch.save(model.state_dict(), folder / 'mantis.pth')
    old = {name.replace('transf_unit.', 'vit_unit.'): value for name, value in model.state_dict().items()}
    save_file(old, folder / 'model.safetensors')
    return model, folder


def probe(weights):
    """A distiller of one learner, a linear probe on three channels of 60 samples."""
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        return MODELS.build(
            dict(
                type='Distiller',
                data_preprocessor=dict(type='ViewPreprocessor', shape=(3, 60), num_classes=4),
                learners=dict(probe=dict(view='sig', network=dict(backbone=dict(type='Mantis', weights=str(weights))))),
            )
        )


@needs_mantis
@pytest.mark.parametrize('file', ['mantis.pth', 'model.safetensors'])
def test_features_are_those_of_the_package_channel_by_channel(published, file):
    model, folder = published
    signal = torch.randn(2, 3, 60)
    (features,) = Mantis(str(folder / file))(signal)
    assert features.shape == (2, 3 * 256)
    with torch.no_grad():
        for channel in range(3):
            alone = F.interpolate(signal[:, channel : channel + 1], 512, mode='linear', align_corners=False)
            torch.testing.assert_close(features[:, 256 * channel : 256 * (channel + 1)], model(alone))


@needs_mantis
def test_only_the_linear_probe_is_trained_whatever_the_mode(published):
    model, folder = published
    distiller = probe(folder / 'mantis.pth').train()
    distiller.enter_phase(None)  # switches gradients of all learners on
    backbone = distiller.learners['probe'].backbone
    assert not any(module.training for module in backbone.model.modules())
    assert [name for name, p in distiller.named_parameters() if p.requires_grad] == [
        'learners.probe.head.fc.weight',
        'learners.probe.head.fc.bias',
    ]
    distiller.init_weights()
    for name, value in model.state_dict().items():
        assert torch.equal(backbone.model.state_dict()[name], value), name


@needs_mantis
def test_weights_of_another_model_are_refused(published, tmp_path):
    torch.save({'prj.1.weight': torch.zeros(3)}, tmp_path / 'other.pth')
    (tmp_path / 'text.safetensors').write_text('weights')
    for file, error, message in (
        ('none.pth', FileNotFoundError, 'there is no checkpoint'),
        ('none.safetensors', FileNotFoundError, 'there is no file of weights'),
        ('text.safetensors', ValueError, 'text.safetensors cannot be read'),
        ('other.pth', ValueError, r'weights .*other.pth does not fit the network: prj.1.weight: \(3,\), expected \(256, 256\)'),
    ):
        with pytest.raises(error, match=message):
            Mantis(str(tmp_path / file))


@pytest.mark.skipif(HAS_MANTIS, reason='mantis-tsfm is installed')
def test_the_extra_is_named_where_the_package_is_absent():
    with pytest.raises(
        ImportError, match=r"Mantis needs mantis, which is not installed. Run: pip install 'mmkd_plugin\[mantis\]'"
    ):
        Mantis('mantis.pth')
