import numpy as np
import pytest
import torch
from peers import pyts_field

from mmkd_plugin.functional import persistence_image, sublevel_persistence
from mmkd_plugin.models.encoders import GramianAngularField, PersistenceImage
from mmkd_plugin.models.views import ViewPreprocessor

PI = dict(image_size=8, birth_range=(-3, 3), persistence_range=(0, 6), sigma=0.5)


def signal(n=3, c=2, t=40):
    return torch.from_numpy(np.random.default_rng(0).standard_normal((n, c, t)).astype(np.float32))


def views(**more):
    return ViewPreprocessor(
        (2, 40),
        4,
        dict(
            gaf=dict(type='mmkd_plugin.GramianAngularField', image_size=10), pi=dict(type='mmkd_plugin.PersistenceImage', **PI)
        ),
        **more,
    )


def test_the_field_of_every_channel_is_that_of_pyts():
    x = signal()
    image = GramianAngularField(10)(x)
    assert image.dtype == torch.float32
    for channel in range(2):
        peer = pyts_field()(image_size=10).transform(x[:, channel].double().numpy())
        np.testing.assert_allclose(image[:, channel].numpy(), peer, atol=1e-5)


def test_a_fixed_scale_keeps_the_amplitude():
    x = torch.linspace(-1, 1, 40).expand(1, 2, 40).clone()
    x[:, 1] *= 0.5
    own, fixed = GramianAngularField(10)(x), GramianAngularField(10, scale=(-1, 1))(x)
    torch.testing.assert_close(own[:, 0], own[:, 1])
    assert (fixed[:, 0] - fixed[:, 1]).abs().max() > 0.5
    assert torch.isfinite(GramianAngularField(10, scale=(-0.1, 0.1))(x)).all()


def test_the_persistence_image_of_every_channel():
    x = signal()
    image = PersistenceImage(**PI, normalize=False)(x)
    expected = persistence_image(sublevel_persistence(x[:, 1].numpy()), **PI)
    np.testing.assert_allclose(image[:, 1].numpy(), expected, atol=1e-6)
    normalized = PersistenceImage(**PI)(x)
    torch.testing.assert_close(normalized.amax((2, 3)), torch.ones(3, 2))


def test_short_lived_pairs_are_dropped_and_an_empty_image_stays_zero():
    assert PersistenceImage(**PI, min_persistence=100.0)(signal()).abs().max() == 0
    assert torch.isfinite(PersistenceImage(**PI)(torch.zeros(1, 2, 40))).all()


def test_only_views_that_are_asked_for_are_made():
    preprocessor = views()
    data = dict(inputs=list(signal()), data_samples=[None] * 3)
    assert set(preprocessor(data, training=True)['inputs']) == {'sig', 'gaf', 'pi'}
    preprocessor.ask(training=['sig', 'gaf'], inference=['sig'])
    made = preprocessor(data, training=True)['inputs']
    assert {name: tuple(view.shape) for name, view in made.items()} == {'sig': (3, 2, 40), 'gaf': (3, 2, 10, 10)}
    assert set(preprocessor(data, training=False)['inputs']) == {'sig'}


def test_a_batch_and_a_list_of_windows_are_alike():
    preprocessor = views()
    a, b = (preprocessor(dict(inputs=inputs, data_samples=None))['inputs']['gaf'] for inputs in (signal(), list(signal())))
    assert torch.equal(a, b)


def test_messages():
    with pytest.raises(ValueError, match=r'the windows have shape \(2, 40\), but data_preprocessor\.shape is \(2, 50\)'):
        ViewPreprocessor((2, 50), 4)(dict(inputs=signal(), data_samples=None))
    assert views().names == ('sig', 'gaf', 'pi')
    with pytest.raises(ValueError, match=r"^view 'gaf': GramianAngularField takes no 'imag_size'; did you mean 'image_size'\?"):
        ViewPreprocessor((2, 50), 4, dict(gaf=dict(type='mmkd_plugin.GramianAngularField', imag_size=10)))
    sentence = (
        r'data_preprocessor\.views\.gaf\.image_size is 51, but windows have 50 samples and a Gramian angular field has no more pixels; '
        'without the key, it follows the window up to 32'
    )
    with pytest.raises(ValueError, match=sentence):
        ViewPreprocessor((2, 50), 4, dict(gaf=dict(type='mmkd_plugin.GramianAngularField', image_size=51)))
    with pytest.raises(ValueError, match="'sig' is the signal itself"):
        ViewPreprocessor((2, 50), 4, dict(sig=dict(type='mmkd_plugin.GramianAngularField', image_size=10)))


@pytest.mark.parametrize(('length', 'size'), [(50, 32), (32, 32), (20, 20), (1, 1)])
def test_a_gramian_field_follows_the_window(length, size):
    gaf = dict(type='mmkd_plugin.GramianAngularField', scale=(-3, 3))
    given = ViewPreprocessor((2, length), 4, dict(gaf={**gaf, 'image_size': size}))
    torch.manual_seed(0)
    signal = torch.randn(3, 2, length)
    follows = ViewPreprocessor((2, length), 4, dict(gaf=gaf)).make(signal, ['gaf'])['gaf']
    assert follows.shape == (3, 2, size, size)
    assert torch.equal(follows, given.make(signal, ['gaf'])['gaf'])
