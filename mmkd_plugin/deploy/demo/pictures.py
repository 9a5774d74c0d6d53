"""Pictures of the last samples of a stream: the signal and images that are made of it."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmkd_plugin.fileio import read_config
from mmkd_plugin.registry import MODELS, build_checked

from ..student import Student, normalization

__all__ = ['CHANNELS', 'Pictures']

CHANNELS = 12  # drawn at most; the rest is counted
COLUMNS = 256  # of a drawn signal: more samples become the lowest and the highest of each column
USUAL = 3  # standard deviations around the mean of training that a drawn signal shows at least
ZSCORE = {'type': 'NormalizeSignal', 'method': 'zscore'}
SHIPPED = 'mmkd_plugin::configs/_base_/datasets/zscore_views.py'  # settings for signals in standard deviations of training
DRAWN = ('gaf', 'pi')  # views of the shipped settings that a page draws of any signal


class Pictures:
    """What a page draws of the last samples.

    A view that the student reads is made as the student makes it, with the settings and the normaliser of its contract. The
    Gramian angular field and the persistence image of any student are made with the settings of the shipped data sets, of the
    signal in standard deviations of training.

    Args:
        student (Student): Whose contract says so.

    Attributes:
        reads (str): What the student reads, as people call it.
        facts (list[dict]): Of each view its ``title``, ``axes``, settings (``note``) and ``limits``, in plain values.
    """

    def __init__(self, student: Student) -> None:
        self.contract = contract = student.contract
        own, shipped = dict(contract.view or {}), read_config(SHIPPED).data_preprocessor.views
        views = {shipped[name]['type']: dict(shipped[name]) for name in DRAWN}
        if hasattr(student.encoder, 'title'):  # a view of one's own may be no picture
            views[own['type']] = own
        self._views: list[tuple[nn.Module, Tensor, Tensor]] = []
        self.facts: list[dict] = []
        self.reads = str(getattr(student.encoder, 'title', own.get('type', 'the signal')))
        for kind, settings in views.items():
            read = kind == own.get('type')
            known = contract if read else dataclasses.replace(contract, normalizer=(ZSCORE,))
            offset, scale = map(torch.from_numpy, normalization(known))
            encoder: Any = build_checked(settings, MODELS, 'view')
            self._views.append((encoder, offset[:CHANNELS], scale[:CHANNELS]))
            note = _note(settings, read)
            self.facts.append({'title': encoder.title, 'axes': encoder.axes, 'note': note, 'limits': encoder.limits})
        # Encoders are compiled when they are used first, which takes seconds: now, and not while samples come.
        self.draw(0.0, np.zeros(contract.shape[::-1], np.float32))

    @torch.no_grad()
    def draw(self, start: float, samples: NDArray) -> dict:
        """Draw samples.

        Args:
            start (float): Seconds of the first.
            samples (ndarray): ``(n, C)``, a window or less.

        Returns:
            dict: Of plain values: ``start`` and ``end`` in seconds, the number of ``samples``, for each channel the ``signal``
            from left to right with ``low`` and ``high`` of its scale and, of a whole window, ``images``. Pixels are bytes in
            base64, the highest row first and channel after channel; ``low`` and ``high`` are the values of 0 and 255.
        """
        shown = samples[:, :CHANNELS]
        low, high = self._range(shown)
        return {
            'start': start,
            'end': start + len(samples) / self.contract.rate,
            'samples': len(samples),
            'signal': [[float(f'{value:.5g}') for value in row] for row in _columns(shown).T],
            'low': low,
            'high': high,
            'images': self._images(shown) if len(samples) == self.contract.window else [],
        }

    def _range(self, shown: NDArray) -> tuple[list[float], list[float]]:
        """Return the ends of each channel's scale: what is usual in training, and what is there."""
        mean, std = (np.array(self.contract.statistics[name][:CHANNELS]) for name in ('mean', 'std'))
        none = np.full(len(mean), np.nan)
        lowest, highest = (shown.min(0), shown.max(0)) if len(shown) else (none, none)
        low, high = np.fmin(mean - USUAL * std, lowest), np.fmax(mean + USUAL * std, highest)
        high = np.where(high > low, high, low + 1)
        return low.tolist(), high.tolist()

    def _images(self, shown: NDArray) -> list[dict]:
        signal = torch.from_numpy(np.ascontiguousarray(shown.T, dtype=np.float32))[None]  # (1, C, T)
        images = []
        for (encoder, offset, scale), facts in zip(self._views, self.facts):
            values = encoder((signal - offset) * scale)[0]  # (C, H, W)
            values = values.flip(-2) if encoder.lowest_first else values
            images.append(_pixels(values, *facts['limits']))
        return images


def _columns(samples: NDArray) -> NDArray:
    """Return samples with what is too dense to be drawn as its lowest and highest, ``(n, C)``."""
    if len(samples) <= 2 * COLUMNS:
        return samples
    bounds = np.linspace(0, len(samples), COLUMNS, endpoint=False).astype(int)
    ends = np.stack([np.minimum.reduceat(samples, bounds), np.maximum.reduceat(samples, bounds)], 1)  # (columns, 2, C)
    return ends.reshape(-1, samples.shape[1])


def _pixels(values: Tensor, low: float, high: float | None) -> dict:
    """Return images ``(C, H, W)`` as bytes, with one scale for all; without a highest value, that of the images."""
    high = float(values.max()) if high is None else high
    high = high if high > low else low + 1
    pixels = ((values - low) * (255 / (high - low))).round().clamp(0, 255).to(torch.uint8).numpy()
    height, width = values.shape[-2:]
    encoded = base64.b64encode(pixels.tobytes()).decode()
    return {'width': width, 'height': height, 'low': low, 'high': high, 'pixels': encoded}


def _note(settings: Mapping[str, Any], read: bool) -> str:
    arguments = ', '.join(f'{key}={value!r}' for key, value in settings.items() if key != 'type' and value is not None)
    source = 'As the student reads it' if read else 'Settings of the shipped data sets, of standard deviations of training'
    return f'{source} ({arguments})' if arguments else source
