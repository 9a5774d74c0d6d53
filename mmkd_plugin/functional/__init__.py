"""The mathematics: functions of arrays and tensors, without weights, registry or mean over the batch."""

from .contrastive import batch_consistency, batch_contrast, noise_contrast
from .encodings import (
    close_essential_persistence,
    gramian_angular_field,
    gramian_angular_field_on_device,
    markov_transition_field,
    persistence_image,
    recurrence_plot,
    scalogram,
    signal_to_persistence_image,
    signal_to_persistence_image_on_device,
    spectrogram,
    sublevel_persistence,
    sublevel_persistence_on_device,
)
from .feature import absolute_error, cosine_distance, pyramid_error, squared_error
from .maps import activation_map_distance, joint_evidence, temporal_attention, temporal_evidence, time_marginal
from .neighbours import neighbour_scores, neighbour_sum
from .relation import (
    angle_distance,
    attention_distance,
    pair_distance,
    row_distance,
    similarity_distance,
    similarity_map,
)
from .response import correlation_distance, decoupled_kl, softened_kl, standardized
from .sizes import interpolate
from .spectra import frequency_attention, half_spectrum, high_pass_mask, spectral_mix
from .summaries import channel_summary
from .teacher_weights import curriculum_weights, expert_weights, minimum_norm_weights

__all__ = [
    'absolute_error',
    'activation_map_distance',
    'angle_distance',
    'attention_distance',
    'batch_consistency',
    'batch_contrast',
    'channel_summary',
    'close_essential_persistence',
    'correlation_distance',
    'cosine_distance',
    'curriculum_weights',
    'decoupled_kl',
    'expert_weights',
    'frequency_attention',
    'gramian_angular_field',
    'gramian_angular_field_on_device',
    'half_spectrum',
    'high_pass_mask',
    'interpolate',
    'joint_evidence',
    'markov_transition_field',
    'minimum_norm_weights',
    'neighbour_scores',
    'neighbour_sum',
    'noise_contrast',
    'pair_distance',
    'persistence_image',
    'pyramid_error',
    'recurrence_plot',
    'row_distance',
    'scalogram',
    'signal_to_persistence_image',
    'signal_to_persistence_image_on_device',
    'similarity_distance',
    'similarity_map',
    'softened_kl',
    'spectral_mix',
    'spectrogram',
    'squared_error',
    'standardized',
    'sublevel_persistence',
    'sublevel_persistence_on_device',
    'temporal_attention',
    'temporal_evidence',
    'time_marginal',
]
