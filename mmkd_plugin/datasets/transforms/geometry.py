"""Turning triples of axes and reading a signal between its samples: what augmentations and corruptions share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = [
    'axis_rotation',
    'check_triples',
    'find_triples',
    'resample',
    'rotate',
    'uniform_direction',
    'uniform_rotation',
]


def resample(signal: NDArray, places: NDArray) -> NDArray:
    """Read a signal ``(C, T)`` at ``(n, )`` places in samples, between two of them linearly: ``(C, n)`` float32."""
    last = signal.shape[1] - 1
    left = places.astype(np.int64).clip(0, last)  # below 0, truncation and floor are clipped to the same
    share = (places - left).clip(0, 1).astype(np.float32)
    # take() costs a third of an index with a slice.
    return signal.take(left, 1) * (1 - share) + signal.take(np.minimum(left + 1, last), 1) * share


def check_triples(axes: Sequence[Sequence[int | str]]) -> None:
    """See that these are triples, and that no channel stands in two of them.

    Raises:
        ValueError: They are not.
    """
    channels = [channel for triple in axes for channel in triple]
    if not channels or any(len(triple) != 3 for triple in axes) or len(set(channels)) < len(channels):
        raise ValueError(f'axes must be triples of different channels, for example [(0, 1, 2), (3, 4, 5)]; got {axes}')


def find_triples(axes: Sequence[Sequence[int | str]], count: int, names: Sequence[str] = ()) -> NDArray:
    """Places ``(n, 3)`` of the channels of n triples.

    Args:
        axes (Sequence[Sequence[int | str]]): Triples of places or names.
        count (int): How many channels there are.
        names (Sequence[str]): Their names, where they are known.

    Raises:
        ValueError: There is no such channel.
    """
    known = {**{place: place for place in range(count)}, **{name: place for place, name in enumerate(names)}}
    unknown = [channel for triple in axes for channel in triple if channel not in known]
    if unknown:
        there = ', '.join(names) if len(names) else 'no names'
        raise ValueError(f'axes name channel {unknown[0]!r}; the signal has channels 0 to {count - 1} ({there})')
    return np.array([[known[channel] for channel in triple] for triple in axes])


def rotate(signal: NDArray, turn: NDArray, places: NDArray) -> NDArray:
    """Turn triples of channels: ``(C, T)``, a rotation ``(3, 3)`` and ``(n, 3)`` places to a new ``(C, T)``."""
    turned = signal.copy()
    turned[places] = turn.astype(np.float32) @ signal[places]  # (n, 3, T)
    return turned


def uniform_direction(generator: Generator) -> NDArray:
    """A unit vector, uniform on the sphere: ``(3, )``."""
    vector = generator.standard_normal(3)
    return vector / np.linalg.norm(vector)


def axis_rotation(direction: NDArray, degrees: float) -> NDArray:
    """Rotation about a unit vector ``(3, )`` by an angle, after Rodrigues: ``(3, 3)``."""
    x, y, z = direction
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = math.radians(degrees)
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def uniform_rotation(generator: Generator) -> NDArray:
    """A rotation, uniform over SO(3): about z by any angle, then z to any direction (Arvo, Graphics Gems III, 1992)."""
    about, around, height = generator.random(3)
    first = axis_rotation(np.array([0.0, 0.0, 1.0]), 360 * about)
    angle = 2 * math.pi * around
    halfway = np.array([math.cos(angle) * math.sqrt(height), math.sin(angle) * math.sqrt(height), math.sqrt(1 - height)])
    return (2 * np.outer(halfway, halfway) - np.eye(3)) @ first
