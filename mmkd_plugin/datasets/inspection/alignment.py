"""How the streams of a data set lie beside the recordings' own signal, for people."""

from __future__ import annotations

import numpy as np

from ..names import list_names
from ..recordings import Recordings
from ..window_streams import add_streams
from ..windows import cut_windows

__all__ = ['describe_streams']


def describe_streams(data: Recordings, window: int, step: int, most: int) -> dict[str, str]:
    """Return a sentence about each stream: sensor, recordings, offset, gaps, and the windows that have the stream.

    Args:
        data (Recordings): Of a data set.
        window (int): Samples of a window in the signal.
        step (int): Samples from the start of a window to that of the next.
        most (int): Channels to name.

    Returns:
        dict[str, str]: By ``stream <name>``; empty where the data have no streams.
    """
    if not data.streams:
        return {}
    windows, _ = cut_windows(data.recordings, range(len(data.recordings)), window, step)
    _, lacking = add_streams(windows, data, ())
    sentences = {}
    for name, sensor in data.streams.items():
        own = [recording.streams[name] for recording in data.recordings if name in recording.streams]
        offsets = np.array([stream.offset for stream in own] or [np.nan])
        lost = sum(int((stream.gaps[:, 1] - stream.gaps[:, 0]).sum()) for stream in own) / sensor.rate
        gaps = sum(len(stream.gaps) for stream in own)
        sentences[f'stream {name}'] = (
            f'{len(sensor.channels)} channels ({list_names(sensor.channels, most)}) at {sensor.rate:.4g} Hz in {len(own):,} of '
            f'{len(data.recordings):,} recordings; begins {np.median(offsets):+.3g} s after the signal '
            f'({offsets.min():+.3g} to {offsets.max():+.3g}); {gaps:,} gap(s), {lost:.3g} s; '
            f'{len(windows) - lacking[name]:,} of {len(windows):,} windows have the stream'
        )
    return sentences
