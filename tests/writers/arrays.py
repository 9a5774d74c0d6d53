"""Recordings of a test's own, in the file that users write from Python."""

from pathlib import Path

from mmkd_plugin.datasets import Recording, save_recordings


def write_recordings(
    file: Path, recordings: list[Recording], channels=('x', 'y'), classes=('u', 'v'), rate: float = 10.0
) -> dict:
    """Write recordings to an ``.npz`` file and return the settings of a data set that reads them, and of its store."""
    columns = [(r.signal, r.label, r.subject, r.name) for r in recordings]
    signals, labels, subjects, names = zip(*columns)
    save_recordings(file, signals, labels, subjects, channels, classes, rate, names)
    return dict(reader=dict(type='mmkd_plugin.ArrayRecordings', root=str(file)), store=str(file.parent / 'stores'))
