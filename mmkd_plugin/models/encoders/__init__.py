"""Encoders: modules that make an image of every channel of a window."""

from .base import Encoder
from .gramian import GramianAngularField
from .persistence import PersistenceImage
from .recurrence import RecurrencePlot
from .time_frequency import Scalogram, Spectrogram
from .transition import MarkovTransitionField

__all__ = [
    'Encoder',
    'GramianAngularField',
    'MarkovTransitionField',
    'PersistenceImage',
    'RecurrencePlot',
    'Scalogram',
    'Spectrogram',
]
