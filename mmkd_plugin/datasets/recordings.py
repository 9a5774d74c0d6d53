"""Recordings: what a reader gives, whatever the format on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ['Recording', 'Recordings']


@dataclass(frozen=True, eq=False)
class Recording:
    """One uninterrupted recording under one label.

    Attributes:
        signal (ndarray): ``(T, C)``, float32.
        label (int): Index into the classes.
        subject (str): Who was recorded; splits are made by it.
        name (str): Unique within the data set.
    """

    signal: NDArray
    label: int
    subject: str
    name: str


@dataclass(frozen=True, eq=False)
class Recordings:
    """A data set before windows.

    Attributes:
        recordings (tuple[Recording, ...]): At least one.
        channels (tuple[str, ...]): Names of the C channels.
        classes (tuple[str, ...]): Names of the K classes.
        rate (float): Samples per second, in Hz.

    Raises:
        ValueError: There is no recording, or one has another number of channels, an unknown label, another's name, or a value
            that is not finite.
    """

    recordings: tuple[Recording, ...]
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    rate: float

    def __post_init__(self) -> None:
        if not self.recordings:
            raise ValueError('there is no recording')
        names = [recording.name for recording in self.recordings]
        if len(set(names)) < len(names):
            raise ValueError(
                f'recordings must have different names; used twice: {sorted({n for n in names if names.count(n) > 1})[:3]}'
            )
        for recording in self.recordings:
            self._check(recording)
            recording.signal.setflags(write=False)  # one copy serves every split and every run of the process

    def _check(self, recording: Recording) -> None:
        signal, where = recording.signal, f"recording '{recording.name}'"
        if signal.ndim != 2 or signal.shape[1] != len(self.channels):
            raise ValueError(
                f'{where} has shape {signal.shape}, expected (T, {len(self.channels)}) for {", ".join(self.channels)}'
            )
        if not 0 <= recording.label < len(self.classes):
            raise ValueError(f'{where} has label {recording.label}, expected 0 to {len(self.classes) - 1}')
        bad = np.argwhere(~np.isfinite(signal))
        if len(bad):
            sample, channel = bad[0]
            raise ValueError(
                f"{where}, channel '{self.channels[channel]}' has {signal[sample, channel]} at sample {sample}; "
                'fill or cut gaps before windows are made'
            )

    def digest(self) -> str:
        """SHA-256 over samples, labels, subjects and names, in hexadecimal."""
        sha = hashlib.sha256(repr((self.channels, self.classes, self.rate)).encode())
        for r in self.recordings:
            sha.update(repr((r.name, r.subject, r.label, r.signal.shape)).encode())
            sha.update(np.ascontiguousarray(r.signal).tobytes())
        return sha.hexdigest()
