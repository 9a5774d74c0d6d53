"""Augmentations of the signal (Um et al., ICMI 2017, arXiv:1706.00527): every epoch sees every window changed."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from numpy.random import Generator
from numpy.typing import NDArray

from mmkd_plugin.registry import TRANSFORMS

from .geometry import (
    axis_rotation,
    check_triples,
    find_triples,
    named_triples,
    own_course,
    resample,
    rotate,
    uniform_direction,
    uniform_rotation,
)

__all__ = ['Crop', 'DropChannels', 'Jitter', 'RotateAxes', 'Scale', 'SignalAugmentation', 'TimeWarp']


class SignalAugmentation(BaseTransform):
    """Base of the augmentations; a subclass changes a signal, with random numbers of the given generator.

    The generator is seeded by the sample's ``seed`` (run, epoch, index of the window) and by the transform: the class's name
    and ``salt``. A window is therefore augmented alike by every worker, and two augmentations of one pipeline draw different
    numbers. Only two of the same class need different salts. Of a window with streams, time is changed alike in all, and values
    in each by numbers of its own.

    Args:
        prob (float): Probability that a window is changed at all, from 0 to 1.
        salt (int | str): Tells augmentations of the same class apart.

    Raises:
        ValueError: The probability is out of range.
    """

    random = True  # outputs of teachers are not cached where this is in a pipeline
    shared = False  # whether the streams of a window are changed by the same numbers as its signal

    def __init__(self, prob: float = 1.0, salt: int | str = '') -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must be from 0 to 1, got {prob}')
        self.prob, self.salt = prob, zlib.crc32(f'{type(self).__name__} {salt}'.encode())

    def transform(self, results: dict) -> dict:
        """Change ``signal`` ``(C, T)`` to a new one of the same shape.

        Raises:
            KeyError: The sample has no seed.
        """
        if 'seed' not in results:
            raise KeyError(
                f'{type(self).__name__} needs the seed that WindowDataset gives; the sample has {", ".join(results)}'
            )
        own = () if self.shared or 'stream' not in results else (zlib.crc32(results['stream'].encode()),)
        generator = np.random.default_rng((*results['seed'], self.salt, *own))
        if generator.random() >= self.prob:
            return results
        return {**results, 'signal': self.augment(results, generator).astype(np.float32, copy=False)}

    def augment(self, results: dict, generator: Generator) -> NDArray:
        """Return a new signal ``(C, T)``; the old one stays unchanged."""
        raise NotImplementedError(f'{type(self).__name__} defines no augment()')


@TRANSFORMS.register_module()
class Jitter(SignalAugmentation):
    """Gaussian noise on every sample.

    Args:
        sigma (float): Standard deviation, in the units of the signal at this point of the pipeline: after
            ``NormalizeSignal``, in each channel's standard deviations over the training subjects ('zscore') or in shares of its
            range ('minmax'). Before it, one number would have to fit both g and rad/s.
        **base: See :class:`SignalAugmentation`.

    Raises:
        ValueError: Sigma is negative or not finite.
    """

    def __init__(self, sigma: float = 0.05, **base) -> None:
        super().__init__(**base)
        self.sigma = _amount('sigma', sigma)

    def augment(self, results: dict, generator: Generator) -> NDArray:
        """Draw once for each sample."""
        signal = results['signal']
        return signal + self.sigma * generator.standard_normal(signal.shape, dtype=np.float32)


@TRANSFORMS.register_module()
class Scale(SignalAugmentation):
    """One factor for each channel, 1 on average.

    Args:
        sigma (float): Standard deviation of the factors, which are Gaussian.
        **base: See :class:`SignalAugmentation`.

    Raises:
        ValueError: Sigma is negative or not finite.
    """

    def __init__(self, sigma: float = 0.1, **base) -> None:
        super().__init__(**base)
        self.sigma = _amount('sigma', sigma)

    def augment(self, results: dict, generator: Generator) -> NDArray:
        """Draw once for each channel."""
        signal = results['signal']
        return signal * (1 + self.sigma * generator.standard_normal((len(signal), 1), dtype=np.float32))


@TRANSFORMS.register_module()
class RotateAxes(SignalAugmentation):
    """A device that is worn another way: all triples of axes turn by the same random rotation.

    Use it before ``NormalizeSignal``: axes that were scaled one by one cannot be rotated. A person who
    wears several devices needs one of these for each; ``axes`` are part of the salt, so that each turns independently.

    Args:
        axes (Sequence[Sequence[int | str]], optional): Triples of channels, x, y and z of each: indices, or names where the
            sample has ``channels``. By default all that the names of the channels tell, as 'acc_x', 'acc_y', 'acc_z'; a signal
            without any stays as it is.
        angle (float, optional): Largest angle, in degrees; the angle is uniform from 0 to it, and the axis of the rotation is
            uniform on the sphere. Without it rotations are uniform over all of SO(3), which is not the same as an angle of 180.
        **base: See :class:`SignalAugmentation`.

    Raises:
        ValueError: The axes are not triples of different channels, or the angle is out of range.
    """

    def __init__(
        self, axes: Sequence[Sequence[int | str]] | None = None, angle: float | None = None, salt: int | str = '', **base
    ) -> None:
        super().__init__(salt=f'{[list(triple) for triple in axes or ()]} {salt}', **base)
        if axes is not None:
            check_triples(axes)
        if angle is not None and not 0 < angle <= 180:
            raise ValueError(f'angle is in degrees, above 0 and up to 180; got {angle}')
        self.axes, self.angle = axes, angle

    def augment(self, results: dict, generator: Generator) -> NDArray:
        """Draw once for each window.

        Raises:
            ValueError: The sample has no such channel.
        """
        names = results.get('channels', ())
        axes = named_triples(tuple(names)) if self.axes is None else self.axes
        if not axes:
            return results['signal']
        indices = find_triples(axes, len(results['signal']), names)
        if self.angle is None:
            return rotate(results['signal'], uniform_rotation(generator), indices)
        turn = axis_rotation(uniform_direction(generator), generator.uniform(0, self.angle))
        return rotate(results['signal'], turn, indices)


@TRANSFORMS.register_module()
class TimeWarp(SignalAugmentation):
    """Movements at a varying speed, with the first and the last sample in place.

    The logarithm of the speed is drawn at knots and linear between them, so that time always goes forward and has no
    kink. Um et al. draw the speed itself, with cubic splines between: the speed can fall below 0, and time goes backward.

    Args:
        knots (int): Number of points where the speed is drawn, evenly from the first to the last sample; at least 2.
        strength (float): Standard deviation of the logarithm of the speed; 0.2 is about a fifth faster or slower.
        **base: See :class:`SignalAugmentation`.

    Raises:
        ValueError: There are fewer than two knots, or the strength is negative or not finite.
    """

    shared = True

    def __init__(self, knots: int = 6, strength: float = 0.2, **base) -> None:
        super().__init__(**base)
        if knots < 2:
            raise ValueError(f'knots must be at least 2, got {knots}')
        self.knots, self.strength = knots, _amount('strength', strength)

    def augment(self, results: dict, generator: Generator) -> NDArray:
        """Draw one course of time for all channels."""
        return resample(results['signal'], own_course(results, lambda length: self.course(length, generator)))

    def course(self, length: int, generator: Generator) -> NDArray:
        """Return the position of each new sample in the old signal: ``(length, )``, in samples, from 0 to length − 1."""
        drawn = self.strength * generator.standard_normal(self.knots)
        between = np.arange(length - 1) + 0.5  # a speed for every step from one sample to the next
        speed = np.exp(np.interp(between, np.linspace(0, length - 1, self.knots), drawn))
        return np.concatenate([[0.0], np.cumsum(speed) * ((length - 1) / speed.sum())])


@TRANSFORMS.register_module()
class Crop(SignalAugmentation):
    """A random part of the window, stretched to the window's length (window slicing, Le Guennec et al. 2016).

    Args:
        share (float): Length of the part over that of the window, above 0 and up to 1.
        **base: See :class:`SignalAugmentation`.

    Raises:
        ValueError: The share is out of range.
    """

    shared = True

    def __init__(self, share: float = 0.9, **base) -> None:
        super().__init__(**base)
        if not 0 < share <= 1:
            raise ValueError(f'share must be above 0 and up to 1, got {share}')
        self.share = share

    def augment(self, results: dict, generator: Generator) -> NDArray:
        """Draw the start of the part, which may lie between two samples."""

        def course(length: int) -> NDArray:
            span = self.share * (length - 1)
            return generator.uniform(0, length - 1 - span) + np.linspace(0, span, length)

        return resample(results['signal'], own_course(results, course))


@TRANSFORMS.register_module()
class DropChannels(SignalAugmentation):
    """Random channels set to 0, never all of them.

    Use it after ``NormalizeSignal``: there 0 is a channel's mean over the training subjects ('zscore') or its minimum.

    Args:
        p (float): Probability of each channel to be dropped, from 0 and below 1. If all were dropped, a random one stays.
        **base: See :class:`SignalAugmentation`.

    Raises:
        ValueError: The probability is out of range.
    """

    def __init__(self, p: float = 0.1, **base) -> None:
        super().__init__(**base)
        if not 0 <= p < 1:
            raise ValueError(f'p must be from 0 and below 1, got {p}')
        self.p = p

    def augment(self, results: dict, generator: Generator) -> NDArray:
        """Draw once for each channel."""
        kept = generator.random(len(results['signal'])) >= self.p
        if not kept.any():
            kept[generator.integers(len(kept))] = True
        return np.where(kept[:, None], results['signal'], np.float32(0))


def _amount(name: str, value: float) -> float:
    if not 0 <= value < math.inf:
        raise ValueError(f'{name} must be at least 0 and finite, got {value}')
    return float(value)
