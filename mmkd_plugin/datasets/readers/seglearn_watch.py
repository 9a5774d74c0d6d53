"""The smart-watch recordings that the package seglearn ships."""

from __future__ import annotations

import functools
import importlib.util
import io
import pickle
from pathlib import Path

import numpy as np

from ..recordings import Recording, Recordings

__all__ = ['load_plain_pickle', 'read_seglearn_watch']

# All that the file needs to be read: arrays of numbers, lists, strings.
ALLOWED = {
    ('numpy.core.multiarray', '_reconstruct'),
    ('numpy._core.multiarray', '_reconstruct'),
    ('numpy', 'ndarray'),
    ('numpy', 'dtype'),
    ('_codecs', 'encode'),
}


class PlainUnpickler(pickle.Unpickler):
    """An unpickler that knows arrays of numbers and nothing else, so that a file cannot run code."""

    def find_class(self, module: str, name: str):
        """Look an allowed name up.

        Raises:
            pickle.UnpicklingError: The file asks for anything else.
        """
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f'the file asks for {module}.{name}, which arrays of numbers do not need')
        # numpy 2 has moved the module and warns of the old name.
        moved = module.replace('numpy.core', 'numpy._core') if hasattr(np, '_core') else module
        return super().find_class(moved, name)


def load_plain_pickle(path: Path):
    """Read the single object of an ``.npy`` file of Python objects, without running code in it.

    Args:
        path (Path): The file.

    Returns:
        Any: Lists, dicts, numbers, strings and arrays of them.

    Raises:
        pickle.UnpicklingError: The file holds something else.
    """
    with open(path, 'rb') as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        return PlainUnpickler(io.BytesIO(file.read())).load().item()


@functools.lru_cache(maxsize=1)
def read_seglearn_watch() -> Recordings:
    """Shoulder exercises seen by a smart watch: 10 subjects, both arms, 7 exercises, 140 recordings of 6 channels at 50 Hz.

    Burns et al. 2018, arXiv:1802.01489; BSD-3, inside seglearn 1.2.5. Acceleration in g and angular velocity in rad/s. The
    package is only located, not imported: it would ask for pandas.

    Returns:
        Recordings: Named ``<subject>_<exercise>_<left or right>``.

    Raises:
        ImportError: seglearn is not installed.
    """
    spec = importlib.util.find_spec('seglearn')
    if spec is None:
        raise ImportError(
            "the smart-watch recordings come with seglearn, which is not installed. Run: pip install 'seglearn>=1.2.5'"
        )
    data = load_plain_pickle(Path(spec.origin).parent / 'data' / 'watch_dataset.npy')
    classes = tuple(data['y_labels'])
    recordings = []
    for signal, label, subject, side in zip(data['X'], data['y'], data['subject'], data['side']):
        name = f'{int(subject)}_{classes[int(label)]}_{"right" if side else "left"}'
        recordings.append(Recording(signal.astype(np.float32), int(label), str(int(subject)), name))
    return Recordings(tuple(recordings), tuple(data['X_labels']), classes, rate=50.0)
