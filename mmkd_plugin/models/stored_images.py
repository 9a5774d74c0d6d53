"""A view of images that another program has made of the windows."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmkd_plugin.fileio import facts_hash, load_npy, load_npz
from mmkd_plugin.registry import MODELS

__all__ = ['StoredImages', 'images_fingerprint']

CONTENT = ('windows', 'owner', 'row', 'hashes', 'shape', 'channels_last')  # arrays of an index that decide what is read
ARRAYS = (*CONTENT, 'files', 'bytes', 'changed')


@MODELS.register_module()
class StoredImages(nn.Module):
    """Images that were made of the windows before, looked up by the window's name: ``(N, C, T)`` to ``(N, C', H, W)``.

    The signal itself is not read, so that what happens to it in a pipeline, augmentation for example, does not show.

    Args:
        index (str): File that ``mmkd import images`` has written; it names the files of images, which stay where they are.
        sha256 (str): Fingerprint of windows and images, as the command prints it, which tells other images apart.

    Raises:
        FileNotFoundError: The index or a file of images does not exist.
        ValueError: The index is of other images, or files of images have changed since it was written.
    """

    by_window = True

    def __init__(self, index: str, sha256: str) -> None:
        super().__init__()
        path = Path(index)
        if not path.is_file():
            raise FileNotFoundError(f'{path} does not exist: index must be a file that `mmkd import images` has written')
        self.index, self.sha256 = str(path), sha256
        self.shape = _opened(self.index, sha256).shape

    def forward(self, signal: Tensor, windows: Sequence[str] | None = None) -> Tensor:
        """Look the images of windows up.

        Args:
            signal (Tensor): ``(N, C, T)``, for number, device and type alone.
            windows (Sequence[str], optional): Names of the N windows; without them, the images are zeros.

        Returns:
            Tensor: ``(N, C', H, W)``.

        Raises:
            ValueError: A window has no image.
        """
        if windows is None:
            return signal.new_zeros((len(signal), *self.shape))
        store = _opened(self.index, self.sha256)
        unknown = [window for window in windows if window not in store.places]
        if unknown:
            raise ValueError(f'{self.index} has no image of the window {unknown[0]}: it was written for other windows')
        images = np.empty((len(windows), *self.shape), dtype=np.float32)
        for place, window in enumerate(windows):
            file, row = store.places[window]
            image = store.files[file][row]
            images[place] = np.moveaxis(image, -1, 0) if store.channels_last else image
        return torch.from_numpy(images).to(signal)


def images_fingerprint(arrays: Mapping[str, NDArray]) -> str:
    """Return SHA-256 of what an index says of windows and of the content of their images, in hexadecimal."""
    return facts_hash({name: arrays[name].tolist() for name in CONTENT})


class _Store(NamedTuple):
    """Opened files of images, and where each window's image stands in them."""

    shape: tuple[int, ...]
    channels_last: bool
    files: list[NDArray]
    places: dict[str, tuple[int, int]]


@functools.lru_cache(maxsize=8)
def _opened(index: str, sha256: str) -> _Store:
    """Open an index once for a process; kept here and not in the module, whose copies would copy all images."""
    arrays, files = load_npz(index, ARRAYS), []
    if images_fingerprint(arrays) != sha256:
        raise ValueError(f'{index} has the fingerprint {images_fingerprint(arrays)}, and sha256 is {sha256}: other images')
    for name, size, changed in zip(arrays['files'].tolist(), arrays['bytes'].tolist(), arrays['changed'].tolist()):
        path = Path(index).parent / name
        if not path.is_file():
            raise FileNotFoundError(f'{path} does not exist, which {index} takes images from')
        if (path.stat().st_size, path.stat().st_mtime_ns) != (size, changed):
            raise ValueError(f'{path} has changed since {index} was written: `mmkd import images` once more')
        files.append(load_npy(path, mapped=True))
    places = zip(arrays['windows'].tolist(), zip(arrays['owner'].tolist(), arrays['row'].tolist()))
    return _Store(tuple(arrays['shape'].tolist()), bool(arrays['channels_last']), files, dict(places))
