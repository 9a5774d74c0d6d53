"""What pictures show of a config's windows: their views, those that are confused most, and class activation maps."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.logging import print_log
from torch import Tensor
from torch.utils.data import DataLoader

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.engine import batches_in_order, evaluating, predict_windows
from mmkd_plugin.fileio import views_read
from mmkd_plugin.models.distillers import Distiller, LazyTaps
from mmkd_plugin.models.encoders import Encoder
from mmkd_plugin.models.views import ViewPreprocessor
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Taps, suggest, unknown_name
from mmkd_plugin.visualization import Confused, ImageView, NetworkMap, ShownWindow

from .predict import build_loader, find_networks, load_deployed, metainfo_of

__all__ = ['activation_maps', 'confused_windows', 'find_window', 'image_view', 'shown_window', 'window_views']

UNITS = {'time': 's', 'frequency': 'Hz', 'log2 of frequency': 'Hz', 'birth': 'normalised', 'persistence': 'normalised'}


def window_views(cfg: Config, split: str = 'test', window: str | None = None) -> tuple[ShownWindow, list[ImageView]]:
    """Return a window of a split, and the images of it that networks of the config read, or all where they read none.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        split (str): 'train', 'val' or 'test'.
        window (str, optional): Index or ID of the window; the first by default.

    Raises:
        ValueError: There is no such window.
    """
    loader = build_loader(cfg, split)
    index = find_window(loader, split, window)
    preprocessor: ViewPreprocessor = MODELS.build(cfg.get('data_preprocessor') or cfg.model.data_preprocessor)
    images = list(preprocessor.encoders)
    images = [name for name in images if name in views_read(cfg.model)] or images
    inputs, shown = preprocessor.encode(_batch(loader, index), images), shown_window(loader, index)
    return shown, [image_view(preprocessor, name, inputs[name], shown) for name in images]


def confused_windows(
    cfg: Config, checkpoint: str | Path, split: str = 'test', most: int = 12
) -> tuple[list[Confused], int, int]:
    """Return the windows that the deployed learner takes for another class, those first of which it is most sure.

    Windows are in the order of the probability of the predicted class minus that of the true one.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        checkpoint (str | Path): Of a run, or of an exported network.
        split (str): 'train', 'val' or 'test'.
        most (int): Windows to return.

    Returns:
        tuple[list[Confused], int, int]: The windows; how many are wrong in all; how many there are that have a class.

    Raises:
        FileNotFoundError: The checkpoint does not exist.
        ValueError: The checkpoint does not fit, or the number is below 1.
    """
    if most < 1:
        raise ValueError(f'the number of windows must be at least 1, got {most}')
    loader = build_loader(cfg, split)
    predictions = predict_windows(load_deployed(cfg, checkpoint, loader, split=split), batches_in_order(loader))
    probability = predictions.logits.double().softmax(1)  # (n, K)
    predicted, known = probability.argmax(1), predictions.labels >= 0
    wrong = torch.nonzero(known & (predicted != predictions.labels)).flatten()
    of_both = probability[wrong, predicted[wrong]], probability[wrong, predictions.labels[wrong]]
    order = torch.argsort(of_both[0] - of_both[1], descending=True, stable=True)[:most].tolist()
    classes = metainfo_of(loader)['classes']
    names = [classes[label] for label in predicted[wrong].tolist()]
    worst = [
        Confused(shown_window(loader, int(wrong[row])), names[row], float(of_both[0][row]), float(of_both[1][row]))
        for row in order
    ]
    return worst, len(wrong), int(known.sum())


def activation_maps(
    cfg: Config, checkpoint: str | Path, split: str = 'test', window: str | None = None, label: str | None = None
) -> tuple[ShownWindow, str, list[NetworkMap]]:
    """Return the class activation maps of the deployed learner and of its teachers for one window (Zhou et al., CVPR 2016).

    A network whose classifier is not global average pooling and one linear layer has none, which is said.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        checkpoint (str | Path): Of a run, or of an exported network.
        split (str): 'train', 'val' or 'test'.
        window (str, optional): Index or ID of the window; the first by default.
        label (str, optional): Class that the maps are of; by default that of the window.

    Returns:
        tuple[ShownWindow, str, list[NetworkMap]]: The window, the name of the class, and the maps, the student's first.

    Raises:
        FileNotFoundError: A checkpoint does not exist, or a teacher has not been trained.
        ValueError: There is no such window or class, a checkpoint does not fit, or no network has a map.
    """
    loader = build_loader(cfg, split)
    index, classes = find_window(loader, split, window), metainfo_of(loader)['classes']
    shown = shown_window(loader, index)
    if label is None and shown.label not in classes:
        raise ValueError(f'window {shown.window_id} is of no known class; name the class that the maps are to be of (--class)')
    label = label or shown.label
    if label not in classes:
        raise ValueError(unknown_name('class name', label, classes))
    maps: list[NetworkMap] = []
    missing: list[str] = []
    for name, path in find_networks(cfg, checkpoint):
        model = load_deployed(cfg, path, loader, name, split)
        with evaluating(model):
            inputs = model.data_preprocessor.encode(_batch(loader, index), model.views_of(model.deployed))
            taps = LazyTaps(model, inputs)[model.deployed]
            if taps.cam is None:
                missing.append(f'{model.deployed} has no class activation map: its classifier is {taps.head}')
                continue
            role = 'student' if name is None else 'teacher'
            maps.append(_network_map(model, taps, inputs, shown, classes, label, role))
    if not maps:
        raise ValueError('\n'.join(missing))
    for sentence in missing:
        print_log(sentence, 'current', logging.WARNING)
    return shown, label, maps


def _network_map(
    model: Distiller, taps: Taps, inputs: dict, shown: ShownWindow, classes: list[str], label: str, role: str
) -> NetworkMap:
    """Return the map of a network's only window, on the samples of the signal or the pixels of the image."""
    place, probability, view = classes.index(label), taps.logits.softmax(1)[0], model.views[model.deployed]
    cam = taps.cam[:, place : place + 1] if taps.cam is not None else inputs[view]  # (1, 1, *S)
    size = inputs[view].shape[2:]
    values = F.interpolate(cam.float(), size=size, mode='linear' if len(size) == 1 else 'bilinear')[0, 0]
    image = None if view == 'sig' else image_view(model.data_preprocessor, view, inputs[view], shown)
    if image is not None:
        values = _lowest_first(model.data_preprocessor.encoders[view], values)
    predicted = classes[int(probability.argmax())]
    return NetworkMap(model.deployed, role, predicted, float(probability[place]), values.cpu().numpy(), image)


def find_window(loader: DataLoader, split: str, window: str | None) -> int:
    """Return the index of a window that is named by its index or by its ID.

    Args:
        loader (DataLoader): Of the split.
        split (str): For messages.
        window (str, optional): As it was typed; the first by default.

    Raises:
        ValueError: There is no such window.
    """
    windows = _dataset_of(loader).data_list
    if window is None:
        return 0
    if str(window).lstrip('-').isdecimal():
        if not 0 <= int(window) < len(windows):
            raise ValueError(f'the {split} split has {len(windows):,} windows, 0 to {len(windows) - 1}; got {window}')
        return int(window)
    name, _, start = str(window).rpartition(':')
    names = [recording.name for recording in windows.recordings]
    rows = [row for row in range(len(windows)) if names[windows.recording[row]] == name]
    starts = {str(windows.start[row]): row for row in rows}
    if start in starts:
        return starts[start]
    if starts:
        known = f"windows of '{name}' begin at {', '.join(list(starts)[:6])}{', …' if len(starts) > 6 else ''}"
    else:
        question = suggest(name, {names[recording] for recording in windows.recording.tolist()})
        known = f"{question + ' ' if question else ''}IDs are like '{windows[0]['window_id']}'"
    raise ValueError(f"the {split} split has no window '{window}'; {known}, and indices go from 0 to {len(windows) - 1}")


def shown_window(loader: DataLoader, index: int) -> ShownWindow:
    """Return a window of a loader's data set as recorded."""
    info, metainfo = _dataset_of(loader).get_data_info(index), metainfo_of(loader)
    label = info['gt_label']
    return ShownWindow(
        info['window_id'],
        str(info.get('subject') or ''),
        metainfo['classes'][label] if label >= 0 else 'of no known class',
        info['signal'],
        tuple(metainfo['channels']),
        tuple(metainfo['units']),
        metainfo['rate'],
    )


def _dataset_of(loader: DataLoader) -> WindowDataset:
    dataset: WindowDataset = loader.dataset  # type: ignore[assignment]  # torch's kind has no recordings
    return dataset


def _batch(loader: DataLoader, index: int) -> dict:
    """Return a batch of one window."""
    return loader.collate_fn([loader.dataset[index]])


def image_view(preprocessor: ViewPreprocessor, name: str, images: Tensor, window: ShownWindow) -> ImageView:
    """Return the images of a view of one window, ``(1, C, H, W)``, with what their axes are."""
    encoder, (height, width) = preprocessor.encoders[name], images.shape[-2:]
    x, y, extent = 'pixel', 'pixel', (-0.5, width - 0.5, -0.5, height - 0.5)
    if isinstance(encoder, Encoder):
        x, y = (f'{axis} ({UNITS[axis]})' for axis in encoder.axes)
        columns, rows = encoder.ranges(window.seconds, window.rate)
        extent = (*columns, *rows)
    values = _lowest_first(encoder, images[0]).cpu().numpy()
    return ImageView(name, type(encoder).__name__, values, x, y, extent)


def _lowest_first(encoder: object, image: Tensor) -> Tensor:
    """Return an image ``(..., H, W)`` with the lowest row first: stored images, and those as persim's, begin above."""
    return image if getattr(encoder, 'lowest_first', False) else image.flip(-2)
