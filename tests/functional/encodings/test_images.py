"""Arrays that encodings write into: of the caller, or new ones that begin on a huge page."""

import re

import numpy as np
import pytest

from mmkd_plugin.functional.encodings.images import image_array

X = np.zeros((2, 50))
SHAPE = (2, 8, 8)
PAGE = 2**21


def read_only():
    out = np.zeros(SHAPE)
    out.flags.writeable = False
    return out


MEMORY = np.zeros(2 * 64)


@pytest.mark.parametrize(
    ('out', 'x', 'message'),
    [
        ([[0.0]], X, 'out must be a numpy array, got list'),
        (np.zeros((2, 8, 9)), X, f'out must be contiguous, float64 and {SHAPE}, got float64 and (2, 8, 9)'),
        (np.zeros(SHAPE, np.float32), X, f'out must be contiguous, float64 and {SHAPE}, got float32 and {SHAPE}'),
        (np.zeros((2, 8, 16))[..., ::2], X, f'out must be contiguous, float64 and {SHAPE}, got float64 and {SHAPE}'),
        (read_only(), X, 'out must be writeable and share no memory with x'),
        (MEMORY.reshape(SHAPE), MEMORY[100:].reshape(2, 14), 'out must be writeable and share no memory with x'),
    ],
    ids=['kind', 'shape', 'dtype', 'strides', 'read-only', 'shared'],
)
def test_an_array_that_will_not_do_is_refused(out, x, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        image_array(SHAPE, np.float64, out, x)


def test_an_array_of_the_caller_is_the_one_that_is_written():
    out = np.zeros(SHAPE)
    assert image_array(SHAPE, np.float64, out, X) is out


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('side', [8, 1024, 1448, 1500])
def test_a_new_array_is_of_its_own_and_begins_on_a_huge_page_if_it_has_two(side, dtype):
    shape = (1, side, side)
    image = image_array(shape, dtype, None, X)
    assert (image.shape, image.dtype, image.flags.c_contiguous, image.flags.writeable) == (shape, dtype, True, True)
    if image.nbytes >= 2 * PAGE:
        assert image.ctypes.data % PAGE == 0
        assert image.base.nbytes == image.nbytes + PAGE or image.base.base.nbytes == image.nbytes + PAGE
    else:
        assert image.base is None
    image[:] = 3
    assert image.min() == image.max() == 3
