"""Transforms on the signal; views are made later, from what leaves here."""

from .augment import Crop, DropChannels, Jitter, RotateAxes, Scale, SignalAugmentation, TimeWarp
from .corrupt import CORRUPTIONS, Corrupt
from .normalize import NormalizeSignal
from .pack import PackWindows
from .skeleton import NormalizeSkeleton

__all__ = [
    'CORRUPTIONS',
    'Corrupt',
    'Crop',
    'DropChannels',
    'Jitter',
    'NormalizeSignal',
    'NormalizeSkeleton',
    'PackWindows',
    'RotateAxes',
    'Scale',
    'SignalAugmentation',
    'TimeWarp',
]
