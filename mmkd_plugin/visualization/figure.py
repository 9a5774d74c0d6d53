"""What all pictures have in common: a figure without a screen, a file that is whole or absent, names that fit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.compatibility import require
from mmkd_plugin.fileio import write_atomically

__all__ = ['LINES', 'check_picture', 'figure_pixels', 'new_figure', 'save_figure', 'short', 'with_unit']

FORMATS = ('.png', '.svg')
LINES = ('-', '--', ':')  # of three axes, which are told apart without colour
SCREEN = 110  # dots per inch


def check_picture(path: str | Path) -> None:
    """See that a picture can be written, before anything is computed for it.

    Args:
        path (str | Path): File that is to be written.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: The ending is not that of a picture, or the path is a folder.
    """
    if Path(path).is_dir():
        raise ValueError(f'{path} is a folder, expected a file')
    if Path(path).suffix.lower() not in FORMATS:
        raise ValueError(f'{path} must end in {" or ".join(FORMATS)}, which says how the picture is written')
    new_figure()


def new_figure(**options: Any) -> Any:
    """Return matplotlib's figure.

    Args:
        **options (Any): Arguments of ``matplotlib.figure.Figure``.

    Raises:
        ImportError: matplotlib is not installed.
    """
    figure = require('matplotlib.figure', 'a plot', 'mmkd_plugin[plot]')  # not pyplot, which looks for a screen
    return figure.Figure(**options)


def save_figure(figure: Any, path: str | Path) -> Path:
    """Write a figure as the ending of its file says; the same figure gives the same bytes.

    Args:
        figure (matplotlib.figure.Figure): Complete.
        path (str | Path): File to write; whole or absent.

    Returns:
        Path: The file.
    """
    import matplotlib

    kind, buffer = Path(path).suffix.lower().removeprefix('.'), io.BytesIO()
    # Text stays text in an SVG, so that it can be searched and read out.
    with matplotlib.rc_context({'svg.fonttype': 'none', 'svg.hashsalt': 'mmkd_plugin'}):
        figure.savefig(buffer, format=kind, dpi=SCREEN, metadata={'Date': None} if kind == 'svg' else None)
    write_atomically(buffer.getvalue(), path)
    return Path(path)


def figure_pixels(figure: Any) -> NDArray:
    """Return a figure as an image.

    Args:
        figure (matplotlib.figure.Figure): Complete.

    Returns:
        ndarray: Red, green and blue, ``(H, W, 3)`` of uint8.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(SCREEN)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def short(name: str, most: int = 24) -> str:
    """Return a name that fits beside an axis, with dollars as they are: matplotlib would read formulas between two of them."""
    return (name if len(name) <= most else f'{name[: most - 1]}…').replace('$', r'\$')


def with_unit(name: str, unit: str) -> str:
    """Return a name with its unit, where one is known."""
    return f'{short(name)} ({short(unit)})' if unit else short(name)
