"""Arguments that do not fit are refused before a compiled kernel or a transform sees them."""

import re

import numpy as np
import pytest
import torch

from mmkd_plugin import functional as f
from mmkd_plugin.datasets.audit import _window_hashes
from mmkd_plugin.functional.parallel import spread

IMAGE = dict(image_size=4, birth_range=(-1, 1), persistence_range=(0, 2), sigma=0.5)
SERIES = np.zeros((3, 8))
ROWS = np.zeros((8, 2), np.uint32)


def filter(*shape, dtype=torch.complex64):
    return torch.ones(*shape, dtype=dtype)


def read_only(*shape):
    array = np.empty(shape)
    array.flags.writeable = False
    return array


def image_of(x, **options):
    return f.signal_to_persistence_image(x, **{**IMAGE, **options})


CALLS = {
    'a list as out': (lambda: f.gramian_angular_field(SERIES, 4, out=[]), 'out must be a numpy array, got list'),
    'read-only out': (lambda: image_of(SERIES, out=read_only(3, 4, 4)), 'out must be writeable and share no memory with x'),
    'x as out': (
        lambda: f.gramian_angular_field(SERIES[:2], 2, out=SERIES.reshape(6, 2, 2)[:2]),
        'out must be writeable and share no memory with x',
    ),
    'NaN as a limit': (lambda: image_of(SERIES, min_persistence=np.nan), 'min_persistence must be at least 0, got nan'),
    'a complex diagram': (
        lambda: f.persistence_image([np.zeros((2, 2), complex)], **IMAGE),
        'diagram 0 must hold real numbers, got an array of complex128',
    ),
    'a tensor of whole numbers': (
        lambda: f.gramian_angular_field_on_device(torch.ones(2, 8, dtype=torch.int64), 4),
        'x must be of a floating-point dtype, got torch.int64',
    ),
    'a scalar': (
        lambda: f.signal_to_persistence_image_on_device(torch.tensor(1.0), **IMAGE),
        'x must have shape (..., T) with T at least 1, got ()',
    ),
    'no sample': (
        lambda: f.sublevel_persistence_on_device(torch.ones(2, 0)),
        'x must have shape (N, T) with T at least 1, got (2, 0)',
    ),
    'no sample of the last axis': (
        lambda: f.gramian_angular_field_on_device(torch.ones(2, 3, 0), 4),
        'x must have shape (..., T) with T at least 1, got (2, 3, 0)',
    ),
    'a third axis': (
        lambda: f.sublevel_persistence_on_device(torch.ones(2, 3, 8)),
        'x must have shape (N, T) with T at least 1, got (2, 3, 8)',
    ),
    'a real filter': (
        lambda: f.half_spectrum(torch.ones(3, 2, 6, 4)),
        "filter must be complex (C, C', *S) with S of one or two axes, got torch.float32 (3, 2, 6, 4)",
    ),
    'too few frequencies': (
        lambda: f.spectral_mix(torch.ones(2, 3, 6, 4), filter(17, 3, 2)),
        "filter must be torch.complex64 (F, C, C') = (18, 3, C') for x (2, 3, 6, 4), got torch.complex64 (17, 3, 2)",
    ),
    'double precision': (
        lambda: f.spectral_mix(torch.ones(2, 3, 6, 4), filter(18, 3, 2, dtype=torch.complex128)),
        "filter must be torch.complex64 (F, C, C') = (18, 3, C') for x (2, 3, 6, 4), got torch.complex128 (18, 3, 2)",
    ),
    'half precision': (
        lambda: f.spectral_mix(torch.ones(2, 3, 6, 4).half(), filter(18, 3, 2)),
        'x must be (N, C, *S) with S of one or two axes, float32 or float64, got torch.float16 (2, 3, 6, 4)',
    ),
    'one number as bias': (
        lambda: f.spectral_mix(torch.ones(2, 3, 6, 4), filter(18, 3, 2), torch.ones(1)),
        'bias must be real and of shape (2,), got torch.float32 (1,)',
    ),
    'another device': (
        lambda: f.spectral_mix(torch.ones(2, 3, 6, 4), filter(18, 3, 2).to('meta')),
        'x, filter and bias must be on one device, got cpu, meta',
    ),
    'rows below 0': (lambda: spread(lambda a, b: None, -1), 'rows must be a whole number of at least 0, got -1'),
    'a window beyond the end': (
        lambda: _window_hashes(ROWS, np.array([0, 5]), 4),
        'windows of 4 samples must begin at ascending samples from 0 to 4 of 8, got [0, 5]',
    ),
    'starts that descend': (
        lambda: _window_hashes(ROWS, np.array([3, 1]), 4),
        'windows of 4 samples must begin at ascending samples from 0 to 4 of 8, got [3, 1]',
    ),
    'a start below 0': (lambda: _window_hashes(ROWS, np.array([-2]), 4), 'from 0 to 4 of 8, got [-2]'),
    'no window': (lambda: _window_hashes(ROWS, np.array([], int), 4), 'from 0 to 4 of 8, got []'),
}


@pytest.mark.parametrize('name', CALLS)
def test_arguments_that_do_not_fit_are_refused(name):
    call, message = CALLS[name]
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
