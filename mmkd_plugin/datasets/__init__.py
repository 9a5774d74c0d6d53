"""From recordings to windows, split by subject; never from here to the models."""

from .readers import read_basic_motions, read_numenta, read_seglearn_watch
from .recordings import Recording, Recordings
from .splits import SPLITS, resolve_subjects
from .transforms import NormalizeSignal, PackWindows
from .window_dataset import BasicMotions, NumentaAnomaly, SeglearnWatch, WindowDataset

__all__ = [
    'SPLITS',
    'BasicMotions',
    'NormalizeSignal',
    'NumentaAnomaly',
    'PackWindows',
    'Recording',
    'Recordings',
    'SeglearnWatch',
    'WindowDataset',
    'read_basic_motions',
    'read_numenta',
    'read_seglearn_watch',
    'resolve_subjects',
]
