"""Encodings of a signal as an image, equal to those of pyts, GUDHI and persim."""

from .fused_persistence import signal_to_persistence_image
from .gramian import gramian_angular_field, gramian_angular_field_on_device
from .persistence import sublevel_persistence
from .persistence_image import persistence_image
from .persistence_on_device import signal_to_persistence_image_on_device, sublevel_persistence_on_device

__all__ = [
    'gramian_angular_field',
    'gramian_angular_field_on_device',
    'persistence_image',
    'signal_to_persistence_image',
    'signal_to_persistence_image_on_device',
    'sublevel_persistence',
    'sublevel_persistence_on_device',
]
