"""Views beside Gramian fields and persistence images: of windows of any length, in half precision, in an exported graph."""

import io
import re

import numpy as np
import pytest
import torch
from torch import nn

from mmkd_plugin.functional import markov_transition_field, recurrence_plot, scalogram, spectrogram
from mmkd_plugin.models.encoders import MarkovTransitionField, PersistenceImage, RecurrencePlot, Scalogram, Spectrogram
from mmkd_plugin.models.views import ViewPreprocessor

ENCODERS = {
    'mtf': dict(type='MarkovTransitionField'),
    'mtf of all windows': dict(type='MarkovTransitionField', strategy='uniform', scale=(-3, 3)),
    'rp': dict(type='RecurrencePlot'),
    'rp by a share': dict(type='RecurrencePlot', dimension=2, threshold='point'),
    'rp by a distance': dict(type='RecurrencePlot', threshold=0.5),
    'stft': dict(type='Spectrogram', floor=1e-3),
    'cwt': dict(type='Scalogram', floor=1e-3),
    'mexican hat': dict(type='Scalogram', wavelet='mexh', scales=(1, 2, 5)),
}


def preprocessor(length, names=tuple(ENCODERS)):
    views = {name: {**ENCODERS[name], 'type': f'mmkd_plugin.{ENCODERS[name]["type"]}'} for name in names}
    return ViewPreprocessor((2, length), 4, views)


def signal(length=70, n=3):
    return torch.from_numpy(np.random.default_rng(0).standard_normal((n, 2, length)).astype(np.float32))


def test_views_are_the_images_of_every_channel():
    x, made = signal(), preprocessor(70)
    images = made.make(x, made.names[1:])
    assert {name: tuple(image.shape[2:]) for name, image in images.items()} == {
        **dict.fromkeys(ENCODERS, (32, 32)),
        'stft': (32, 36),
        'mexican hat': (3, 32),
    }
    own = x[:, 1]
    torch.testing.assert_close(images['mtf'][:, 1], markov_transition_field(own, 32))
    torch.testing.assert_close(images['rp by a share'][:, 1], recurrence_plot(own, 32, 2, threshold='point'))
    torch.testing.assert_close(images['stft'][:, 1], spectrogram(own, 62, 2, floor=1e-3))
    around = own - own.mean(1, keepdim=True)
    torch.testing.assert_close(images['cwt'][:, 1], scalogram(around, np.geomspace(2, 35, 32), image_size=32, floor=1e-3))
    offset = Scalogram()(x + 100)  # no wavelet sees it, and it ends in no step
    torch.testing.assert_close(offset, Scalogram()(x), atol=1e-4, rtol=0)


@pytest.mark.parametrize('length', [2, 5, 31, 33])
def test_short_constant_and_half_windows(length):
    encoders = preprocessor(length).encoders
    for x in (signal(length), torch.full((1, 2, length), -2.5), signal(length).half(), signal(length).requires_grad_()):
        for encoder in encoders.values():
            image = encoder(x)
            assert image.isfinite().all()
            assert image.dtype == x.dtype
            assert not image.requires_grad


def test_autocast_changes_nothing():
    x, encoders = signal(), preprocessor(70).encoders
    plain = [encoder(x) for encoder in encoders.values()]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert all(torch.equal(encoder(x), image) for encoder, image in zip(encoders.values(), plain))


class Views(nn.Module):
    def __init__(self, made):
        super().__init__()
        self.encoders = made.encoders

    def forward(self, x):
        return tuple(encoder(x) for encoder in self.encoders.values())


@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning', 'ignore::DeprecationWarning', 'ignore::FutureWarning')
def test_every_view_goes_into_a_graph():
    """One ONNX file with all of them, for any number of windows."""
    runtime, model, file = pytest.importorskip('onnxruntime'), Views(preprocessor(70)), io.BytesIO()
    names = [f'view{k}' for k in range(len(ENCODERS))]
    options = dict(dynamo=False, opset_version=17, input_names=['x'], output_names=names)
    torch.onnx.export(model, (signal(n=2),), file, dynamic_axes={name: {0: 'N'} for name in ('x', *names)}, **options)
    session = runtime.InferenceSession(file.getvalue(), providers=['CPUExecutionProvider'])
    x = signal(n=5)
    for name, expected, image in zip(ENCODERS, model(x), session.run(names, {'x': x.numpy()}), strict=True):
        np.testing.assert_allclose(image, expected.numpy(), atol=2e-5 * float(expected.max()), err_msg=name)


def test_axes_end_where_the_window_and_the_rate_end():
    assert MarkovTransitionField().ranges(4.0, 50.0) == RecurrencePlot().ranges(4.0, 50.0) == ((0, 4), (0, 4))
    assert Spectrogram().ranges(4.0, 50.0) == ((0, 4), (0, 25))
    time, octaves = Scalogram().ranges(4.0, 50.0)  # from two periods a window to half the rate
    assert time == (0, 4)
    assert octaves == pytest.approx((np.log2(0.5), np.log2(25)))


@pytest.mark.parametrize(
    ('view', 'message'),
    [
        (
            dict(type='MarkovTransitionField', strategy='kmeans'),
            "strategy must be 'quantile', 'uniform' or 'normal', got 'kmeans'",
        ),
        (dict(type='RecurrencePlot', threshold=-1), "threshold must be above 0 and finite, 'point' or 'distance', got -1"),
        (dict(type='RecurrencePlot', delay=0), 'delay must be a whole number of at least 1, got 0'),
        (dict(type='Spectrogram', hop=0), 'hop must be a whole number of at least 1, got 0'),
        (dict(type='Spectrogram', floor=-1), 'floor must be above 0 and finite, got -1'),
        (dict(type='Scalogram', scales=[0]), 'scales must be from 1/16 of a sample to 1,099,511,627,776 samples, got 0'),
        (dict(type='Scalogram', flor=1), "Scalogram takes no 'flor'; did you mean 'floor'?"),
    ],
)
def test_an_encoder_that_cannot_be_is_named(view, message):
    with pytest.raises(ValueError, match=f'^view .a.: .*{re.escape(message)}'):
        ViewPreprocessor((2, 50), 4, dict(a={**view, 'type': f'mmkd_plugin.{view["type"]}'}))


def test_images_larger_than_a_window_are_refused():
    for kind, title in (('MarkovTransitionField', 'Markov transition field'), ('RecurrencePlot', 'Recurrence plot')):
        sentence = (
            rf'data_preprocessor\.views\.a\.image_size is 51, but windows have 50 samples and a {title} has no more pixels'
        )
        with pytest.raises(ValueError, match=sentence):
            ViewPreprocessor((2, 50), 4, dict(a=dict(type=f'mmkd_plugin.{kind}', image_size=51)))


def test_the_essential_pair_tells_level_and_range():
    options = dict(image_size=8, birth_range=(-4, 4), persistence_range=(0, 8), sigma=0.5, normalize=False)
    wave = torch.linspace(0, 1, 20).sin()[None, None]
    plain, closed = PersistenceImage(**options), PersistenceImage(**options, essential=True)
    assert plain(wave).abs().max() == plain(wave + 1).abs().max() == 0  # one rise: the only component never dies
    low, high = wave.min(), wave.max()
    births = closed(wave + 1.3).sum(3)[0, 0]  # columns are lifetimes
    assert births.argmax() == 5  # the pixel of −4 + 5 to −4 + 6, where 1.3 lies
    assert closed(wave).sum().item() == pytest.approx((high - low).item() * 0.95, rel=0.05)  # weight: its lifetime
    assert closed(wave.half()).dtype == torch.half
