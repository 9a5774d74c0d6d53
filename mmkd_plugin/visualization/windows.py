"""Pictures of windows: one with the images that are made of it, and several that a network takes for another class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.datasets.channels import sensors_of

from .figure import LINES, new_figure, short, with_unit

__all__ = ['Confused', 'ImageView', 'ShownWindow', 'draw_errors', 'draw_signal', 'draw_views']

CHANNELS = 12  # rows drawn at most; the rest is counted
COLUMNS = 3  # of windows beside one another


@dataclass(frozen=True)
class ShownWindow:
    """A window as recorded.

    Attributes:
        window_id (str): Name of the window.
        subject (str): Who was recorded; empty where nobody is named.
        label (str): Name of the class.
        signal (ndarray): ``(C, T)``, in the units of the channels.
        channels (tuple[str, ...]): Names of the channels.
        units (tuple[str, ...]): Their units, empty where they are unknown.
        rate (float): In Hz.
    """

    window_id: str
    subject: str
    label: str
    signal: NDArray
    channels: tuple[str, ...]
    units: tuple[str, ...]
    rate: float

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return self.signal.shape[1] / self.rate

    def unit(self, channel: int) -> str:
        """Return the unit of a channel, empty where it is unknown."""
        return self.units[channel] if self.units else ''

    def title(self) -> str:
        """Return what the window is."""
        return (
            f'window {short(self.window_id, 60)}, '
            + f'subject {short(self.subject)}, ' * bool(self.subject)
            + short(self.label)
        )


@dataclass(frozen=True)
class ImageView:
    """The images that a view makes of a window's channels.

    Attributes:
        name (str): Of the view.
        kind (str): Of its encoder.
        images (ndarray): ``(C', H, W)``; the first row is the lowest.
        x (str): What is to the right, with its unit.
        y (str): What is upwards, with its unit.
        extent (tuple[float, float, float, float]): Left, right, lowest and highest value on the axes.
    """

    name: str
    kind: str
    images: NDArray
    x: str
    y: str
    extent: tuple[float, float, float, float]


@dataclass(frozen=True)
class Confused:
    """A window that a network takes for another class.

    Attributes:
        window (ShownWindow): As recorded; its label is the true class.
        predicted (str): Name of the class that the network predicts.
        probability (float): Of this class.
        true_probability (float): Of the true class.
    """

    window: ShownWindow
    predicted: str
    probability: float
    true_probability: float


def draw_views(window: ShownWindow, views: Sequence[ImageView]) -> Any:
    """Draw a window: a row for each channel, its signal to the left and its images to the right.

    Args:
        window (ShownWindow): As recorded.
        views (Sequence[ImageView]): Images of it.

    Returns:
        matplotlib.figure.Figure: See :func:`~mmkd_plugin.visualization.save_figure`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    rows = min(max([len(window.channels), *(len(view.images) for view in views)]), CHANNELS)
    figure = new_figure(figsize=(4.6 + 2.3 * len(views), 1.5 + 1.55 * rows), layout='constrained')
    axes = figure.subplots(rows, 1 + len(views), squeeze=False, gridspec_kw=dict(width_ratios=[2, *[1] * len(views)]))
    for row, ax in enumerate(axes[:, 0]):
        if row >= len(window.channels):
            ax.axis('off')
            continue
        draw_signal(ax, window, [row])
        ax.set_ylabel(with_unit(window.channels[row], window.unit(row)), fontsize=8)
        ax.tick_params(labelbottom=row == min(rows, len(window.channels)) - 1)
    axes[min(rows, len(window.channels)) - 1, 0].set_xlabel('time (s)', fontsize=8)
    axes[0, 0].set_title('signal, as recorded', fontsize=9)
    for view, column in zip(views, axes[:, 1:].T):
        _draw_images(figure, view, column)
    left_out = len(window.channels) - rows
    more = f' (without {left_out} more channels)' if left_out > 0 else ''
    figure.suptitle(f'{window.title()}{more}\nimages are made of the signal after the transforms of the config', fontsize=9)
    return figure


def _draw_images(figure: Any, view: ImageView, column: NDArray) -> None:
    """Draw the images of a view below each other, with one scale of grey for all."""
    shown = view.images[: len(column)]
    low, high = float(shown.min()), float(shown.max())
    for row, ax in enumerate(column):
        if row >= len(shown):
            ax.axis('off')
            continue
        image = ax.imshow(shown[row], cmap='gray', origin='lower', extent=view.extent, aspect='auto', vmin=low, vmax=high)
        ax.tick_params(labelsize=7, labelbottom=row == len(shown) - 1)
        ax.set_ylabel(view.y, fontsize=7)
    column[len(shown) - 1].set_xlabel(view.x, fontsize=8)
    column[0].set_title(f'{short(view.name)}: {short(view.kind)}', fontsize=9)
    bar = figure.colorbar(
        image, ax=list(column[: len(shown)]), location='bottom', shrink=0.9, fraction=0.02, pad=0.01, aspect=25
    )
    bar.ax.tick_params(labelsize=7)
    bar.set_label('value', fontsize=7)


def draw_signal(ax: Any, window: ShownWindow, channels: Sequence[int]) -> None:
    """Draw channels over time, which are told apart by their lines."""
    time = np.arange(window.signal.shape[1]) / window.rate
    for channel, line in zip(channels, LINES):
        ax.plot(time, window.signal[channel], line, color='black', lw=0.9, label=short(window.channels[channel]))
    ax.set_xlim(0, window.seconds)
    ax.tick_params(labelsize=7)


def draw_errors(confused: Sequence[Confused], title: str) -> Any:
    """Draw windows that a network takes for another class, with the axes of their first sensor.

    Args:
        confused (Sequence[Confused]): At least one, the worst first.
        title (str): A line above.

    Returns:
        matplotlib.figure.Figure: See :func:`~mmkd_plugin.visualization.save_figure`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    first = confused[0].window
    sensor, *others = sorted(sensors_of(first.channels), key=lambda sensor: -len(sensor.channels))
    columns = min(COLUMNS, len(confused))
    rows = -(-len(confused) // columns)
    figure = new_figure(figsize=(3.9 * columns + 0.4, 2.35 * rows + 1.1), layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax, each in zip(axes.flat, confused):
        draw_signal(ax, each.window, sensor.channels)
        subject = f', subject {short(each.window.subject, 16)}' * bool(each.window.subject)
        ax.set_title(
            f'{short(each.window.label)} taken for {short(each.predicted)}\n'
            f'{short(each.window.window_id, 34)}{subject}\n'
            f'probability {each.probability:.2f}, of the true class {each.true_probability:.2f}',
            fontsize=7.5,
        )
    for ax in axes.flat[len(confused) :]:
        ax.axis('off')
    for ax in axes[:, 0]:
        ax.set_ylabel(with_unit(sensor.name, first.unit(sensor.channels[0])), fontsize=8)
    for column in range(columns):
        last = max(place for place in range(rows) if place * columns + column < len(confused))
        axes[last, column].set_xlabel('time (s)', fontsize=8)
    more = f'; of {len(others) + 1} sensors the first' if others else ''
    figure.suptitle(f'{title}{more}', fontsize=9)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc='outside lower center', ncols=3, fontsize=8)
    return figure
