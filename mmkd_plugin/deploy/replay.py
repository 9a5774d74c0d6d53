"""Recordings replayed to a student: one stream for each source, and pieces that are due at a time."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator
from typing import Any

from mmengine.logging import print_log
from numpy.typing import NDArray

from .inputs import Source, at_rate, drift_of, read_notes, read_recordings
from .streaming import StreamingInferencer
from .student import Student

__all__ = ['TICK', 'open_recording', 'pieces_in_time']

TICK = 0.05  # seconds between two pieces of a replay
PIECE = 1024  # samples of a piece where nothing waits


def open_recording(
    student: Student, recording: str | os.PathLike, rate: float | None = None, **options: Any
) -> list[tuple[StreamingInferencer, Source]]:
    """Read what is to be replayed; what was repaired, and what differs from training, is said as a warning.

    Args:
        student (Student): That is to decide.
        recording (str | Path): A file or a folder, see :class:`~mmkd_plugin.deploy.SignalInferencer`.
        rate (float, optional): Of the recording, in Hz; by default what it tells, else the contract's.
        **options (Any): Further ones of :class:`~mmkd_plugin.deploy.StreamingInferencer`.

    Returns:
        list[tuple[StreamingInferencer, Source]]: For each file, a stream at its rate, and its recordings.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: An option is out of range, which is seen before anything is read, or the recording does not fit the contract
            or is shorter than a window.
    """
    contract = student.contract
    StreamingInferencer(student, rate=rate, **options)
    sources = list(read_recordings(recording, contract, rate))
    gridded = [at_rate(source, contract.rate) for source in sources]
    if all(len(samples) < contract.window for source in gridded for _, samples, _ in source.recordings):
        raise ValueError(
            f'{recording} has no recording of a window, {contract.window:,} samples at {contract.rate:g} Hz: the student would '
            'decide nothing'
        )
    drift = [sentence for source in gridded for sentence in drift_of(source, contract)]
    for message in (*read_notes(sources, contract.rate), *drift):
        print_log(message, 'current', logging.WARNING)
    return [(StreamingInferencer(student, rate=source.rate, name=source.name, **options), source) for source in sources]


def pieces_in_time(samples: NDArray, rate: float, speed: float) -> Iterator[tuple[NDArray, float]]:
    """Cut a recording into pieces.

    Args:
        samples (ndarray): ``(T, C)``.
        rate (float): In Hz.
        speed (float): Times as fast as it was recorded; infinity for all at once.

    Yields:
        tuple[ndarray, float]: A piece, and when its last sample is due, in seconds from the begin of the replay.
    """
    size = PIECE if math.isinf(speed) else max(1, round(rate * speed * TICK))
    for first in range(0, len(samples), size):
        piece = samples[first : first + size]
        yield piece, (first + len(piece)) / rate / speed
