"""The mathematics: arrays and tensors in and out, no weights, no registry, no mean over the batch."""

from .answers import correlation_distance, decoupled_kl
from .distances import absolute_error, cosine_distance, softened_kl, squared_error
from .gramian import gramian_angular_field
from .persistence import persistence_image, sublevel_persistence
from .relations import angle_distance, attention_distance, pair_distance, similarity_distance
from .spectra import frequency_attention, high_pass_mask

__all__ = [
    'absolute_error',
    'angle_distance',
    'attention_distance',
    'correlation_distance',
    'cosine_distance',
    'decoupled_kl',
    'frequency_attention',
    'gramian_angular_field',
    'high_pass_mask',
    'pair_distance',
    'persistence_image',
    'similarity_distance',
    'softened_kl',
    'squared_error',
    'sublevel_persistence',
]
