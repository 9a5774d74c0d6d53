import math

import numpy as np
import pytest
import torch

from mmkd_plugin.functional import (
    persistence_image,
    signal_to_persistence_image,
    signal_to_persistence_image_on_device,
    sublevel_persistence,
    sublevel_persistence_on_device,
)
from mmkd_plugin.functional.encodings import persistence_on_device

RANGES = dict(birth_range=(-4, 4), persistence_range=(0, 8), sigma=0.25)


def walks(n=40, length=60, seed=0):
    return np.cumsum(np.random.default_rng(seed).normal(size=(n, length)), 1)


def pairs(x):
    """Pairs of every series, sorted."""
    births, deaths = sublevel_persistence_on_device(torch.from_numpy(x))
    finite = (births < deaths) & births.isfinite() & deaths.isfinite()
    return [sorted(zip(b[f].tolist(), d[f].tolist())) for b, d, f in zip(births, deaths, finite)]


@pytest.mark.parametrize(
    'x',
    [
        walks(),
        np.random.default_rng(1).integers(0, 4, size=(60, 30)).astype(float),  # ties and plateaus
        np.array([[1.0] * 5, [1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [0, 3, 0, 3, 0]]),
        np.array([[0, math.inf, -1, 2, -2], [-math.inf, 1, 0, 2, -math.inf], [math.inf, 0, 1, -1, math.inf]]),
        np.array([[2.0]]),
    ],
    ids=['random walks', 'ties', 'constant and monotone', 'infinities', 'one sample'],
)
def test_pairs_are_those_of_the_sequential_form(x):
    expected = [sorted(map(tuple, diagram.tolist())) for diagram in sublevel_persistence(x)]
    assert pairs(x) == expected


def test_a_pair_by_hand():
    assert pairs(np.array([[0.0, 5.0, 1.0, 4.0, 2.0, 9.0]])) == [[(1.0, 5.0), (2.0, 4.0)]]


@pytest.mark.parametrize('convention', ['integral', 'sampled'])
@pytest.mark.parametrize('weight', ['persistence', 'uniform'])
def test_images_are_those_of_the_fused_kernel(convention, weight):
    x = walks().reshape(10, 4, 60)
    options = dict(**RANGES, image_size=24, weight=weight, convention=convention, min_persistence=0.3)
    expected = signal_to_persistence_image(x, **options)
    for dtype, tolerance in ((torch.float64, 1e-8), (torch.float32, 1e-5)):
        result = signal_to_persistence_image_on_device(torch.from_numpy(x).to(dtype), **options)
        assert result.dtype == dtype
        np.testing.assert_allclose(result.numpy(), expected, atol=tolerance * expected.max())


@pytest.mark.parametrize('scale', [1, 0.05])  # lifetimes above and below 1
@pytest.mark.parametrize('more', [dict(), dict(weight='uniform'), dict(normalize=True, min_persistence=0.3)])
def test_images_of_the_old_convention_are_those_of_the_diagrams(more, scale):
    x = scale * walks().reshape(10, 4, 60)
    options = dict(
        image_size=24, birth_range=(-4.0, 4.0), persistence_range=(0.0, 4.0), sigma=0.4, convention='persimage', **more
    )
    fused = signal_to_persistence_image(x, **options)
    apart = dict(options, weight=options.get('weight', 'persistence'))
    least, normalize = apart.pop('min_persistence', 0), apart.pop('normalize', False)
    kept = [d[d[:, 1] - d[:, 0] > least] for d in sublevel_persistence(x.reshape(40, 60))]
    expected = persistence_image(kept, **apart).reshape(10, 4, 24, 24)
    if normalize:
        highest = expected.max((2, 3), keepdims=True)
        expected = expected / np.where(highest > 0, highest, 1)
    np.testing.assert_allclose(fused, expected, atol=1e-12)
    on_device = signal_to_persistence_image_on_device(torch.from_numpy(x), **options)
    np.testing.assert_allclose(on_device.numpy(), expected, atol=1e-8)


def test_parts_make_no_difference(monkeypatch):
    x = torch.from_numpy(walks())
    whole = signal_to_persistence_image_on_device(x, 16, **RANGES, normalize=True)
    assert whole.amax((1, 2)).tolist() == pytest.approx([1.0] * 40)
    monkeypatch.setattr(persistence_on_device, 'LARGEST', 3 * 60**2)
    torch.testing.assert_close(signal_to_persistence_image_on_device(x, 16, **RANGES, normalize=True), whole)


def test_a_series_without_a_pair_is_black():
    x = torch.arange(8.0).expand(2, 8)
    assert not signal_to_persistence_image_on_device(x, 16, **RANGES, normalize=True).any()


def test_an_argument_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match='sigma must be above 0 and finite, got 0'):
        signal_to_persistence_image_on_device(torch.zeros(1, 4), 16, (-4, 4), (0, 8), 0)
    with pytest.raises(ValueError, match='min_persistence must be at least 0, got -1'):
        signal_to_persistence_image_on_device(torch.zeros(1, 4), 16, **RANGES, min_persistence=-1)
