"""A picture of the filters of frequency attention, before and after training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .figure import new_figure, short

__all__ = ['ShownFilter', 'draw_filters']


@dataclass(frozen=True)
class ShownFilter:
    """The gain of one filter at every frequency, its mean over all pairs of channels.

    Attributes:
        name (str): Transfer, source and stage.
        channels (tuple[int, int]): Read and given.
        space (tuple[int, ...]): Size of the feature that is filtered, ``(L, )`` or ``(H, W)``.
        before (ndarray): ``(L // 2 + 1, )``, the mean first; or ``(H, W)``, the mean in the middle, at H // 2 and W // 2.
        after (ndarray): Likewise.
    """

    name: str
    channels: tuple[int, int]
    space: tuple[int, ...]
    before: NDArray
    after: NDArray

    def axes(self) -> list[NDArray]:
        """Return the frequencies along each axis, as shares of Nyquist."""
        if len(self.space) == 1:
            return [2 * np.fft.rfftfreq(self.space[0])]
        return [2 * np.fft.fftshift(np.fft.fftfreq(size)) for size in self.space]

    def upper(self, gain: NDArray) -> float:
        """Return the share of the gain that is above half of Nyquist along some axis, from 0 to 1."""
        above = np.max(np.meshgrid(*(np.abs(axis) for axis in self.axes()), indexing='ij'), axis=0) > 0.5
        return float(gain[above].sum() / gain.sum())


def draw_filters(filters: Sequence[ShownFilter], title: str) -> Any:
    """Draw every filter before and after training, on one scale.

    Args:
        filters (Sequence[ShownFilter]): At least one.
        title (str): A line above.

    Returns:
        matplotlib.figure.Figure: See :func:`~mmkd_plugin.visualization.save_figure`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    figure = new_figure(figsize=(8.2, 1 + 2.7 * len(filters)), layout='constrained')
    from matplotlib.colors import PowerNorm

    rows = figure.subplots(len(filters), 2, squeeze=False)
    for axes, each in zip(rows, filters):
        highest = float(max(each.before.max(), each.after.max()))
        scale = PowerNorm(0.5, 0, highest)  # a single bin may be ten times the others
        for ax, gain, when in zip(axes, (each.before, each.after), ('before', 'after')):
            if gain.ndim == 1:
                ax.plot(each.axes()[0], gain, color='black', lw=1.1)
                ax.set_ylim(0, 1.05 * highest)
                ax.set_xlim(0, 1)
                ax.set_ylabel('gain', fontsize=8)
                ax.set_xlabel('frequency along time (share of Nyquist)', fontsize=8)
            else:
                shown = ax.imshow(gain, cmap='gray', origin='lower', extent=_extent(each.axes()), aspect='auto', norm=scale)
                ax.set_ylabel('frequency along rows', fontsize=8)
                ax.set_xlabel('frequency along columns (share of Nyquist)', fontsize=8)
            ax.set_title(f'{short(each.name, 40)}, {when}', fontsize=9)
            ax.tick_params(labelsize=7)
        if each.before.ndim == 2:
            bar = figure.colorbar(shown, ax=list(axes))
            bar.set_label('gain', fontsize=8)
            bar.ax.tick_params(labelsize=7)
    figure.suptitle(f'{short(title, 70)}\nmean gain over pairs of channels, without the 1×1 convolution', fontsize=9)
    return figure


def _extent(axes: Sequence[NDArray]) -> tuple[float, ...]:
    """Return where an image ends to the left, right, below and above: half a bin beyond the outer ones."""
    rows, columns = axes
    return tuple(float(edge) for axis in (columns, rows) for edge in (axis[0] - 1 / len(axis), axis[-1] + 1 / len(axis)))
