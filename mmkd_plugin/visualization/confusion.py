"""A picture of a confusion matrix, with counts and shares in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .figure import new_figure, short

__all__ = ['draw_confusion']


def draw_confusion(counts: ArrayLike, classes: Sequence[str], title: str = '') -> Any:
    """Draw a confusion matrix: of every cell the number of windows and its share of the windows of the true class.

    Args:
        counts (array_like): ``(K, K)`` windows, rows are true.
        classes (Sequence[str]): Names of the K classes.
        title (str): A line above.

    Returns:
        matplotlib.figure.Figure: See :func:`~mmkd_plugin.visualization.save_figure`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    counts = np.asarray(counts)
    total = counts.sum(1, keepdims=True)  # (K, 1)
    shares = counts / np.maximum(total, 1)
    size, names = len(classes), [short(name) for name in classes]
    figure = new_figure(figsize=(3 + 0.62 * size, 2.4 + 0.5 * size), layout='constrained')
    ax = figure.subplots()
    ax.imshow(shares, cmap='Greys', vmin=0, vmax=1.25, aspect='auto')  # the darkest is still grey
    for (row, column), count in np.ndenumerate(counts):
        color = 'white' if shares[row, column] > 0.72 else 'black' if count else '#888888'
        ax.text(
            column,
            row,
            f'{count:,}\n{_percent(shares[row, column])}' if count else '0',
            ha='center',
            va='center',
            fontsize=8,
            color=color,
        )
    ax.set_xticks(range(size), names, rotation=90 if max(map(len, names)) > 4 else 0, fontsize=8)
    windows = [f'{name}  ({int(each):,})' for name, each in zip(names, total[:, 0])]
    ax.set_yticks(range(size), windows, fontsize=8)
    ax.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    ax.grid(which='minor', color='#bbbbbb', lw=0.6)
    ax.tick_params(which='minor', length=0)
    for place in range(size):  # the right ones, outlined
        ax.plot(*(np.array([[-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1]]) * 0.5 + place), color='black', lw=1.4)
    ax.set_xlim(-0.53, size - 0.47)
    ax.set_ylim(size - 0.47, -0.53)
    ax.set_xlabel('predicted class', fontsize=9)
    ax.set_ylabel('true class (windows)', fontsize=9)
    ax.set_title(f'{short(title, 60)}\nwindows, and their share of the true class'.strip(), fontsize=9)
    return figure


def _percent(share: float) -> str:
    """Return a share above 0 in per cent; no cell with a window says 0, and none with an exception 100."""
    text = f'{100 * share:.0f}'
    return '<1 %' if text == '0' else '>99 %' if text == '100' and share < 1 else f'{text} %'
