"""Rotations of axes and interpolation between samples, for augmentations and corruptions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..channels import sensors_of

__all__ = [
    'axis_rotation',
    'check_triples',
    'find_triples',
    'named_triples',
    'own_course',
    'resample',
    'rotate',
    'uniform_direction',
    'uniform_rotation',
]


def resample(signal: NDArray, positions: NDArray) -> NDArray:
    """Interpolate a signal ``(C, T)`` linearly at ``(n, )`` positions in samples: ``(C, n)`` float32."""
    last = signal.shape[1] - 1
    left = positions.astype(np.int64).clip(0, last)  # below 0, truncation and floor are clipped to the same
    share = (positions - left).clip(0, 1).astype(np.float32)
    # take() costs a third of an index with a slice.
    return signal.take(left, 1) * (1 - share) + signal.take(np.minimum(left + 1, last), 1) * share


def own_course(results: Mapping, course: Callable[[int], NDArray]) -> NDArray:
    """Return a course of time in the samples of a stream, which has its own rate, or of the signal itself.

    Args:
        results (Mapping): A sample; that of a stream has its ``clock``, the samples of the window's signal and the samples of
            the signal from one of the stream's to the next.
        course (Callable[[int], ndarray]): Gives the position of each new sample in the old signal, for a number of samples.

    Returns:
        ndarray: ``(T, )`` positions in samples.
    """
    length = results['signal'].shape[1]
    if 'clock' not in results:
        return course(length)
    whole, ratio = results['clock']
    moved, at = course(whole), np.arange(length) * ratio
    after = np.maximum(at - (whole - 1), 0)  # less than a sample of the stream: both ends are those of one stretch of time
    return (np.interp(at, np.arange(whole), moved) + after) / ratio


def check_triples(axes: Sequence[Sequence[int | str]]) -> None:
    """Check that axes are triples, and that no channel is in two of them.

    Raises:
        ValueError: The axes are not such triples.
    """
    channels = [channel for triple in axes for channel in triple]
    if not channels or any(len(triple) != 3 for triple in axes) or len(set(channels)) < len(channels):
        raise ValueError(f'axes must be triples of different channels, for example [(0, 1, 2), (3, 4, 5)]; got {axes}')


def find_triples(axes: Sequence[Sequence[int | str]], count: int, names: Sequence[str] = ()) -> NDArray:
    """Return the indices ``(n, 3)`` of the channels of n triples.

    Args:
        axes (Sequence[Sequence[int | str]]): Triples of indices or names.
        count (int): Number of channels.
        names (Sequence[str]): Names of the channels, where they are known.

    Raises:
        ValueError: A channel does not exist.
    """
    known: dict[int | str, int] = {index: index for index in range(count)}
    known.update({name: index for index, name in enumerate(names)})
    unknown = [channel for triple in axes for channel in triple if channel not in known]
    if unknown:
        listed = ', '.join(names) if len(names) else 'no names'
        raise ValueError(f'axes name channel {unknown[0]!r}; the signal has channels 0 to {count - 1} ({listed})')
    return np.array([[known[channel] for channel in triple] for triple in axes])


@cache
def named_triples(names: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the indices of x, y and z of all sensors that the names of the channels tell."""
    return tuple(sensor.channels for sensor in sensors_of(names) if sensor.has_axes)


def rotate(signal: NDArray, turn: NDArray, indices: NDArray) -> NDArray:
    """Rotate triples of channels: ``(C, T)``, a rotation ``(3, 3)`` and ``(n, 3)`` indices to a new ``(C, T)``."""
    turned = signal.copy()
    turned[indices] = turn.astype(np.float32) @ signal[indices]  # (n, 3, T)
    return turned


def uniform_direction(generator: Generator) -> NDArray:
    """Draw a unit vector, uniform on the sphere: ``(3, )``."""
    vector = generator.standard_normal(3)
    return vector / np.linalg.norm(vector)


def axis_rotation(direction: NDArray, degrees: float) -> NDArray:
    """Return the rotation about a unit vector ``(3, )`` by an angle, after Rodrigues: ``(3, 3)``."""
    x, y, z = direction
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = math.radians(degrees)
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def uniform_rotation(generator: Generator) -> NDArray:
    """Draw a rotation, uniform over SO(3): about z by any angle, then z to any direction (Arvo, Graphics Gems III, 1992)."""
    about, around, height = generator.random(3)
    first = axis_rotation(np.array([0.0, 0.0, 1.0]), 360 * about)
    angle = 2 * math.pi * around
    halfway = np.array([math.cos(angle) * math.sqrt(height), math.sin(angle) * math.sqrt(height), math.sqrt(1 - height)])
    return (2 * np.outer(halfway, halfway) - np.eye(3)) @ first
