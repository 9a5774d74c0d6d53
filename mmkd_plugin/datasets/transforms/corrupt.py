"""Corruptions of test windows by sensors, wearers and radio links, the same for every network."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from numpy.random import Generator
from numpy.typing import NDArray

from mmkd_plugin.registry import TRANSFORMS

from .geometry import axis_rotation, check_triples, find_triples, resample, rotate, uniform_direction

__all__ = ['CORRUPTIONS', 'NEED_AXES', 'Corrupt']

# The suite: name, kind, level.
CORRUPTIONS = (
    ('noise-0.06', 'noise', 0.06),
    ('noise-0.09', 'noise', 0.09),
    ('noise-0.12', 'noise', 0.12),
    ('missing-0.15', 'missing', 0.15),
    ('missing-0.22', 'missing', 0.22),
    ('missing-0.30', 'missing', 0.30),
    ('rotation-15', 'rotation', 15),
    ('rotation-30', 'rotation', 30),
    ('rotation-90', 'rotation', 90),
    ('mirror-x', 'mirror', 'x'),
    ('rate-0.5', 'rate', 0.5),
    ('rate-0.8', 'rate', 0.8),
    ('rate-1.25', 'rate', 1.25),
)
NEED_AXES = ('rotation', 'mirror')
LEVELS = dict(
    noise=(lambda level: 0 < level < math.inf, 'a share of the training range, above 0'),
    missing=(lambda level: 0 < level < 1, 'a share of the window, between 0 and 1'),
    rotation=(lambda level: 0 < level <= 180, 'an angle in degrees, above 0 and up to 180'),
    mirror=(lambda level: level in ('x', 'y', 'z'), "the axis across the mirror, 'x', 'y' or 'z'"),
    rate=(lambda level: 0 < level < math.inf, 'a factor above 0'),
)
# Components that change their sign in a mirror: the component across it of a vector; of a pseudo-vector, the two along it.
MIRRORED = dict(acc=(True, False), gyr=(False, True), mag=(True, False))


@TRANSFORMS.register_module()
class Corrupt(BaseTransform):
    """One corruption of one strength; the first transform of a pipeline, before ``NormalizeSignal``.

    Random numbers depend on the window's name and the kind alone: the same in every run, whichever network is tested, and
    the same for all levels of a kind (noise of 0.12 is twice that of 0.06).

    - 'noise': Gaussian, on every sample; the level is its standard deviation over the channel's range (maximum − minimum)
      in training. That is the noise that published work adds to signals scaled to [0, 1], whatever normalises them here.
    - 'missing': a contiguous block of all channels at once, as when a radio link fails; the level is its share of the window.
      The last value before it is held, as receivers do. The block begins anywhere but at the first sample.
    - 'rotation': the device is mounted another way. All triples turn by the level, in degrees, about one direction per window,
      drawn on the sphere: the result is an average over mountings, not that of one.
    - 'mirror': the device is worn on the other arm; the level is the axis across the body's plane of symmetry, and axes stay
      right-handed. Acceleration changes its sign along this axis, angular velocity, a pseudo-vector, along the other two
      (Jackson, Classical Electrodynamics, section 6.10; the same signs as ParaDigMa's ``invert_watch_side``). The Earth's field
      is not mirrored with the body; seen from a body that faces north or south the field behaves like an acceleration.
    - 'rate': the sensor samples at level times the rate, and the stream is resampled to the rate of training, both by linear
      interpolation without a filter. Movements keep their speed; bandwidth is lost, and aliases appear.

    Args:
        kind (str): One of the above.
        level (float | str): Strength of the corruption.
        axes (Mapping[str, Sequence], optional): For 'rotation' and 'mirror', triples of channels (indices, or names where the
            sample has ``channels``), x, y and z of each, by the kind of sensor: ``dict(acc=[(0, 1, 2)], gyr=[(3, 4, 5)])``;
            'mag' is a magnetometer.

    Raises:
        ValueError: The kind is unknown, the level is out of range, or axes are missing or not triples.
    """

    def __init__(self, kind: str, level: float | str, axes: Mapping[str, Sequence] | None = None) -> None:
        if kind not in LEVELS:
            raise ValueError(f'kind must be one of {", ".join(LEVELS)}, got {kind!r}')
        possible, meaning = LEVELS[kind]
        if isinstance(level, str) != (kind == 'mirror') or not possible(level):
            raise ValueError(f'level of {kind} must be {meaning}; got {level!r}')
        if kind in NEED_AXES:
            if not axes or set(axes) - set(MIRRORED):
                raise ValueError(
                    f'{kind} needs axes of {", ".join(MIRRORED)}, like dict(acc=[(0, 1, 2)], gyr=[(3, 4, 5)]); got {axes}'
                )
            check_triples([triple for triples in axes.values() for triple in triples])
        self.kind, self.level, self.axes = kind, level, axes or {}
        self._indices: dict[tuple[tuple[str, ...], int], list[tuple[str, NDArray]]] = {}

    def transform(self, results: dict) -> dict:
        """Corrupt ``signal`` ``(C, T)``; the result is a new array.

        Raises:
            KeyError: The sample has no name or no statistics.
            ValueError: The sample has no such channel.
        """
        missing = [key for key in ('window_id', 'statistics') if key not in results]
        if missing:
            raise KeyError(f'Corrupt misses {", ".join(missing)}; the sample has {", ".join(results)}')
        return {**results, 'signal': getattr(self, f'_{self.kind}')(results).astype(np.float32, copy=False)}

    def _generator(self, results: dict) -> Generator:
        seed = hashlib.sha256(f'{results["window_id"]} {self.kind}'.encode()).digest()[:8]
        return np.random.default_rng(int.from_bytes(seed, 'big'))

    def _noise(self, results: dict) -> NDArray:
        signal, fitted = results['signal'], results['statistics']
        span = (fitted['max'] - fitted['min'])[:, None]  # (C, 1)
        return signal + self.level * span * self._generator(results).standard_normal(signal.shape, dtype=np.float32)

    def _missing(self, results: dict) -> NDArray:
        signal = results['signal'].copy()
        length = signal.shape[1]
        gap = min(max(1, round(self.level * length)), length - 1)
        start = 1 + int(self._generator(results).random() * (length - gap))  # one draw, so that gaps of all levels lie alike
        signal[:, start : start + gap] = signal[:, start - 1 : start]
        return signal

    def _rotation(self, results: dict) -> NDArray:
        indices = np.concatenate([indices for _, indices in self._triples(results)])
        return rotate(results['signal'], axis_rotation(uniform_direction(self._generator(results)), float(self.level)), indices)

    def _mirror(self, results: dict) -> NDArray:
        signal, axis = results['signal'].copy(), 'xyz'.index(str(self.level))
        for kind, indices in self._triples(results):
            across, along = MIRRORED[kind]
            flipped = [across if component == axis else along for component in range(3)]
            signal[indices[:, flipped]] *= -1
        return signal

    def _rate(self, results: dict) -> NDArray:
        length, factor = results['signal'].shape[1], float(self.level)
        count = int((length - 1) * factor + 1e-9) + 1  # samples that fall into the window; 99 · 0.8 is not quite exact
        sampled = resample(results['signal'], np.arange(count) / factor)  # (C, count)
        return resample(sampled, np.arange(length) * factor)

    def _triples(self, results: dict) -> list[tuple[str, NDArray]]:
        names, count = tuple(results.get('channels', ())), len(results['signal'])
        if (names, count) not in self._indices:  # the same for all windows of a data set
            named = [(kind, triples) for kind, triples in self.axes.items() if len(triples)]
            self._indices[names, count] = [(kind, find_triples(triples, count, names)) for kind, triples in named]
        return self._indices[names, count]
