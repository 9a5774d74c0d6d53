"""A picture of class activation maps: which part of a window, or of its image, speaks for a class in each network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.datasets.channels import sensors_of

from .figure import new_figure, short, with_unit
from .windows import ImageView, ShownWindow, draw_signal

__all__ = ['NetworkMap', 'draw_maps']


@dataclass(frozen=True)
class NetworkMap:
    """The class activation map of one network for a window.

    Attributes:
        name (str): Of the network.
        role (str): 'student' or 'teacher'.
        predicted (str): Name of the class that the network predicts.
        probability (float): Of the class that the map is of.
        values (ndarray): ``(T, )`` over the signal, or ``(H, W)`` over the image, first row lowest: contributions to the logit
            of the class, whose mean over all positions is the logit without its bias.
        view (ImageView, optional): What the network reads; None stands for the signal.
    """

    name: str
    role: str
    predicted: str
    probability: float
    values: NDArray
    view: ImageView | None = None


def draw_maps(window: ShownWindow, label: str, maps: Sequence[NetworkMap]) -> Any:
    """Draw what each network reads, beside the map of a class over it.

    Args:
        window (ShownWindow): As recorded.
        label (str): Name of the class that the maps are of.
        maps (Sequence[NetworkMap]): The student's first.

    Returns:
        matplotlib.figure.Figure: See :func:`~mmkd_plugin.visualization.save_figure`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    figure = new_figure(figsize=(8.6, 1.2 + sum(2.0 if each.view is None else 3.1 for each in maps)), layout='constrained')
    ratios = [2.0 if each.view is None else 3.1 for each in maps]
    axes = figure.subplots(len(maps), 2, squeeze=False, gridspec_kw=dict(height_ratios=ratios))
    for (left, right), each in zip(axes, maps):
        (_draw_over_signal if each.view is None else _draw_over_image)(figure, left, right, window, each)
        name = each.role if each.name == each.role else f'{each.role} {short(each.name)}'
        left.set_title(f'{name} predicts {short(each.predicted)}', fontsize=9)
        nowhere = '' if each.values.max() > 0 else ', nowhere above 0'
        right.set_title(f'map of {short(label)}, probability {each.probability:.2f}{nowhere}', fontsize=9)
    figure.suptitle(
        f'{window.title()}\nleft: the signal as recorded, or the image; marked is where the map is above half of its maximum',
        fontsize=9,
    )
    signals = [left for left, each in zip(axes[:, 0], maps) if each.view is None]
    if signals:
        figure.legend(*signals[0].get_legend_handles_labels(), loc='outside lower center', ncols=3, fontsize=8)
    return figure


def _draw_over_signal(figure: Any, left: Any, right: Any, window: ShownWindow, each: NetworkMap) -> None:
    sensor = max(sensors_of(window.channels), key=lambda sensor: len(sensor.channels))
    draw_signal(left, window, sensor.channels)
    left.set_ylabel(with_unit(sensor.name, window.unit(sensor.channels[0])), fontsize=8)
    time = np.arange(len(each.values)) / window.rate
    marked = each.values > _half(each.values)
    left.fill_between(time, 0, 1, where=marked, transform=left.get_xaxis_transform(), color='#cccccc', lw=0, zorder=0)
    right.plot(time, each.values, color='black', lw=1.2)
    right.fill_between(time, 0, each.values, where=marked, color='#cccccc', lw=0)
    right.axhline(0, color='black', lw=0.5)
    right.set_xlim(0, window.seconds)
    right.tick_params(labelsize=7)
    right.set_ylabel('contribution to the logit', fontsize=8)
    for ax in (left, right):
        ax.set_xlabel('time (s)', fontsize=8)


def _draw_over_image(figure: Any, left: Any, right: Any, window: ShownWindow, each: NetworkMap) -> None:
    view = each.view
    if view is None:
        return
    image = view.images.mean(0)
    left.imshow(image, cmap='gray', origin='lower', extent=view.extent, aspect='auto')
    shown = right.imshow(each.values, cmap='gray', origin='lower', extent=view.extent, aspect='auto')
    low, high = float(each.values.min()), float(each.values.max())
    if low < _half(each.values) < high:
        for ax in (left, right):  # a white line in a black one is seen on any grey
            for color, width in (('black', 3.0), ('white', 1.2)):
                ax.contour(
                    each.values, [_half(each.values)], colors=color, linewidths=width, origin='lower', extent=view.extent
                )
    count = len(view.images)
    left.set_ylabel(f'{short(view.name)}, mean of {count} channels\n{view.y}' if count > 1 else view.y, fontsize=8)
    for ax in (left, right):
        ax.set_xlabel(view.x, fontsize=8)
        ax.tick_params(labelsize=7)
    bar = figure.colorbar(shown, ax=right)
    bar.ax.tick_params(labelsize=7)
    bar.set_label('contribution to the logit', fontsize=8)


def _half(values: NDArray) -> float:
    """Return half of the maximum; where nothing speaks for the class, infinity."""
    return float(values.max()) / 2 if values.max() > 0 else np.inf
