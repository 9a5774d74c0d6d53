"""Independent implementations that are dear to import, each imported by the first test that compares with it."""

import functools

import numba
import numba.typed  # as it is, before what follows


@functools.cache
def pyts_field():
    """Import the Gramian angular field of pyts, to be run by Python itself.

    pyts has numba compile all functions of four of its packages as they are imported. That takes 20 s, which the few small
    arrays of the tests are not worth.
    """
    compiled = numba.config.DISABLE_JIT
    numba.config.DISABLE_JIT = True
    try:
        from pyts.image import GramianAngularField
    finally:
        numba.config.DISABLE_JIT = compiled
    return GramianAngularField
