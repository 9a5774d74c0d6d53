"""Images that other programs have made of windows, one array for each subject, as a view."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from numpy.typing import NDArray

from mmkd_plugin.datasets.windows import Windows, cut_windows
from mmkd_plugin.fileio import content_hashes, load_npy, write_atomically
from mmkd_plugin.models.stored_images import images_fingerprint
from mmkd_plugin.registry import DATASETS

__all__ = ['import_images']

AT_ONCE = 2**26  # values that are looked at in memory


def import_images(
    cfg: Config, pattern: str, target: str | Path, labels: str | None = None, channels_last: bool = False
) -> dict[str, Any]:
    """Write an index of images by window, for the view :class:`~mmkd_plugin.models.StoredImages`.

    Args:
        cfg (Config): Whose data the images are of.
        pattern (str): Path of the arrays ``(N, C, H, W)``, one for each subject, with ``{index}``, the subject's number from 0
            in the order of the data, or ``{subject}``, the name. The order of the images is that of the subject's windows.
        target (str | Path): The index to write, ``.npz``; replaced as a whole. It names the arrays by paths relative to itself.
        labels (str, optional): Path of the labels of the images, ``(N, )`` or ``(N, 1)``, likewise; without them, only
            numbers are compared, and not the order.
        channels_last (bool): Images are ``(N, H, W, C)``.

    Returns:
        dict: ``sha256``, fingerprint of windows and images; ``shape`` of an image, channels first; ``subjects`` and ``images``,
        their numbers.

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: Number, labels, shape or type of images do not fit, or a value is not finite.
    """
    if '{index}' not in pattern and '{subject}' not in pattern:
        raise ValueError(f'{pattern} must have {{index}} or {{subject}} in the place of what differs between subjects')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    recordings = dataset.data.recordings
    windows, _ = cut_windows(recordings, range(len(recordings)), dataset.window, dataset.step)
    owners, files, names, shapes = windows.subjects, [], [], set()
    file_of, row_of = np.empty(len(windows), dtype=np.int64), np.empty(len(windows), dtype=np.int64)
    for index, subject in enumerate(dict.fromkeys(recording.subject for recording in recordings)):
        own = np.flatnonzero(owners == subject)
        path = _path(pattern, index, subject)
        images = load_npy(path, mapped=True)
        shapes.add(_check(path, images, subject, len(own), channels_last))
        if labels is not None:
            _check_labels(_path(labels, index, subject), path, windows[own], dataset.data.classes)
        file_of[own], row_of[own] = index, np.arange(len(own))
        files.append(path)
        names.append(os.path.relpath(path, Path(target).parent))
    if len(shapes) > 1:
        raise ValueError(f'{pattern}: images have different shapes: {", ".join(map(str, sorted(shapes)))}')
    (shape,) = shapes
    arrays: dict[str, Any] = dict(
        windows=np.array([windows[place]['window_id'] for place in range(len(windows))]),
        owner=file_of,
        row=row_of,
        files=np.array(names),
        hashes=np.array(content_hashes(files)),
        bytes=np.array([path.stat().st_size for path in files]),
        changed=np.array([path.stat().st_mtime_ns for path in files]),
        shape=np.array(shape),
        channels_last=np.array(channels_last),
    )
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(buffer.getvalue(), target)
    return dict(sha256=images_fingerprint(arrays), shape=shape, subjects=len(files), images=len(windows))


def _path(pattern: str, index: int, subject: str) -> Path:
    return Path(pattern.replace('{index}', str(index)).replace('{subject}', subject))


def _check(path: Path, images: NDArray, subject: str, count: int, channels_last: bool) -> tuple[int, ...]:
    """Return the shape of an image, channels first."""
    axes = '(N, H, W, C)' if channels_last else '(N, C, H, W)'
    if not isinstance(images, np.ndarray) or images.ndim != 4 or images.dtype.kind not in 'fiu':
        given = f'{images.dtype} of shape {images.shape}' if isinstance(images, np.ndarray) else 'an archive'
        raise ValueError(f'{path} is {given}, expected numbers {axes}')
    if len(images) != count:
        raise ValueError(f'{path} has {len(images)} images, and subject {subject} has {count} windows')
    for begin, part in _parts(images):
        wrong = ~np.isfinite(part.astype(np.float32))
        if wrong.any():
            raise ValueError(f'{path}: image {begin + int(np.argwhere(wrong)[0][0])} has values that are not finite')
    shape = images.shape[1:]
    return (shape[2], *shape[:2]) if channels_last else shape


def _parts(images: NDArray) -> Iterator[tuple[int, NDArray]]:
    step = max(1, AT_ONCE // max(1, int(np.prod(images.shape[1:]))))
    for begin in range(0, len(images), step):
        yield begin, images[begin : begin + step]


def _check_labels(path: Path, images: Path, windows: Windows, classes: tuple[str, ...]) -> None:
    """Compare the labels of a subject's images with those of the windows, one by one."""
    given = load_npy(path, mapped=True)
    given = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
    if given.shape != windows.label.shape:
        raise ValueError(f'{path} has labels of shape {given.shape}, expected ({len(windows)},), one for each window')
    differ = np.flatnonzero(given != windows.label)
    if len(differ):
        first = int(differ[0])
        raise ValueError(
            f'{path}: label {first} is {given[first]:g}, and window {windows[first]["window_id"]} is '
            f"{windows.label[first]}, '{classes[windows.label[first]]}' ({len(differ)} differ): {images} is of other windows, "
            'or in another order'
        )
