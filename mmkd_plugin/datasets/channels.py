"""Which channels are the axes of one sensor, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ['sensors_of']


def sensors_of(channels: Sequence[str]) -> dict[str, list[int]]:
    """Places of each sensor's channels: x, y and z of one name belong together, in this order; others stand alone.

    Args:
        channels (Sequence[str]): Names of the C channels, for example ``acc_x``, ``hand_gyro_x``, ``ax``.

    Returns:
        dict[str, list[int]]: By what stands before the axis, 'xyz' where nothing does; by the whole name for others.
    """
    found: dict[str, list[int]] = {}
    for place, channel in enumerate(channels):
        stem, axis = re.fullmatch(r'(.*?)[ _.-]?([xyz]?)', channel, re.IGNORECASE).groups()
        triple = [stem + channel[len(stem) : -1] + a for a in ('xyz' if axis.islower() else 'XYZ')] if axis else []
        if not triple or not set(triple) <= set(channels):
            found[channel] = [place]
        else:
            found[stem or 'xyz'] = [list(channels).index(name) for name in triple]
    return found
