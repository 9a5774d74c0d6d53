"""Sensors by the names of their channels: which channels are the axes of one sensor, and what it measures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ['GRAVITY', 'KINDS', 'Sensor', 'sensors_of']

GRAVITY = {'g': 1.0, 'm/s²': 9.81}
KINDS = {'acc': 'acceleration', 'gyr': 'angular velocity', 'mag': 'magnetic field'}
# What names mean that contain none of these: axes alone are of an accelerometer, which every device has.
SHORT = {'xyz': 'acc', 'a': 'acc', 'w': 'gyr', 'g': 'gyr', 'omega': 'gyr'}


@dataclass(frozen=True)
class Sensor:
    """One sensor of a device.

    Attributes:
        name (str): What stands before the axes, 'xyz' where nothing does; the whole name of a channel that stands alone.
        kind (str, optional): Key of :data:`KINDS`, None where the name tells none of them.
        channels (tuple[int, ...]): Indices of the channels, of x, y and z in this order or of one channel alone.
    """

    name: str
    kind: str | None
    channels: tuple[int, ...]

    @property
    def has_axes(self) -> bool:
        """Whether this is a sensor with three axes."""
        return len(self.channels) == 3

    @property
    def without_gravity(self) -> bool:
        """Whether the name says that gravity is taken out of an acceleration."""
        return self.kind == 'acc' and re.search('body|lin', self.name, re.IGNORECASE) is not None


def sensors_of(channels: Sequence[str]) -> list[Sensor]:
    """Return the sensors of a data set, in the order of their first channels.

    Channels whose names end in x, y and z and begin alike belong together; every other channel stands alone.

    Args:
        channels (Sequence[str]): Names of the C channels, for example ``acc_x``, ``hand_gyro_x``, ``ax``.
    """
    indices: dict[str, tuple[int, ...]] = {}
    for index, channel in enumerate(channels):
        stem = re.sub(r'[ _.-]?[xyz]\Z', '', channel, flags=re.IGNORECASE)
        axis = channel[-1] if stem != channel else ''
        triple = [stem + channel[len(stem) : -1] + a for a in ('xyz' if axis.islower() else 'XYZ')] if axis else []
        if not triple or not set(triple) <= set(channels):
            indices[channel] = (index,)
        else:
            indices[stem or 'xyz'] = tuple(list(channels).index(name) for name in triple)
    return [Sensor(name, _kind(name), each) for name, each in indices.items()]


def _kind(name: str) -> str | None:
    name = name.lower()
    return SHORT.get(name) or next((kind for kind in KINDS if kind in name), None)
