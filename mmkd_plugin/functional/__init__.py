"""The mathematics: arrays and tensors in and out, no weights, no registry, no mean over the batch."""

from .distances import absolute_error, cosine_distance, softened_kl, squared_error
from .gramian import gramian_angular_field
from .persistence import persistence_image, sublevel_persistence
from .spectra import frequency_attention, high_pass_mask

__all__ = [
    'absolute_error',
    'cosine_distance',
    'frequency_attention',
    'gramian_angular_field',
    'high_pass_mask',
    'persistence_image',
    'softened_kl',
    'squared_error',
    'sublevel_persistence',
]
