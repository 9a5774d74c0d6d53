"""Encodings of a signal as an image, equal to those of pyts, GUDHI, persim, torch and PyWavelets."""

from .fused_persistence import signal_to_persistence_image
from .gramian import gramian_angular_field, gramian_angular_field_on_device
from .persistence import sublevel_persistence
from .persistence_image import persistence_image
from .persistence_on_device import (
    close_essential_persistence,
    signal_to_persistence_image_on_device,
    sublevel_persistence_on_device,
)
from .recurrence import recurrence_plot
from .spectrogram import spectrogram
from .transition import markov_transition_field
from .wavelet import scalogram

__all__ = [
    'close_essential_persistence',
    'gramian_angular_field',
    'gramian_angular_field_on_device',
    'markov_transition_field',
    'persistence_image',
    'recurrence_plot',
    'scalogram',
    'signal_to_persistence_image',
    'signal_to_persistence_image_on_device',
    'spectrogram',
    'sublevel_persistence',
    'sublevel_persistence_on_device',
]
