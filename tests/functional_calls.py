"""One call of every public function of :mod:`mmkd_plugin.functional`, at any size and precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

__all__ = ['CALLS', 'IMAGE', 'Sizes', 'arguments_of']

IMAGE = dict(image_size=4, birth_range=(-3, 3), persistence_range=(0, 4), sigma=0.5)


@dataclass(frozen=True)
class Sizes:
    """Sizes of the axes that arguments have, their precision, and the kind of their values.

    Attributes:
        n (int): Samples.
        k (int): Classes, or teachers.
        c (int): Channels of the student.
        d (int): Channels of the teacher, or of a result.
        h (int): Rows of a map.
        w (int): Columns of a map.
        t (int): Samples of a series.
        dtype (dtype): float32 or float64.
        values (Callable): Changes standard normal numbers into those that are wanted.
    """

    n: int = 6
    k: int = 5
    c: int = 4
    d: int = 7
    h: int = 5
    w: int = 8
    t: int = 12
    dtype: torch.dtype = torch.float32
    values: Callable[[torch.Tensor], torch.Tensor] = lambda x: x

    def tensor(self, *shape: int) -> torch.Tensor:
        return self.values(torch.randn(*shape, dtype=self.dtype))

    def complex(self, *shape: int) -> torch.Tensor:
        return torch.complex(self.tensor(*shape), self.tensor(*shape))

    def positive(self, *shape: int) -> torch.Tensor:
        return self.tensor(*shape).abs() + 0.1

    def share(self, *shape: int) -> torch.Tensor:
        return torch.rand(*shape, dtype=self.dtype)

    def distribution(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=self.dtype).softmax(-1)

    def array(self, *shape: int) -> np.ndarray:
        return self.tensor(*shape).numpy()

    def labels(self) -> torch.Tensor:
        return torch.randint(self.k, (self.n,))

    def responses(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.tensor(self.n, self.k), self.tensor(self.n, self.k)

    def maps(self, channels: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        shape = (self.n, channels or self.c, self.h, self.w)
        return self.tensor(*shape), self.tensor(*shape)

    def features(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.tensor(self.n, self.c, self.h), self.tensor(self.n, self.d)

    def gram(self) -> torch.Tensor:
        x = self.tensor(self.k, 40)
        return x @ x.T

    def signal(self) -> torch.Tensor:
        return self.tensor(self.n, self.c, self.t)

    def image(self) -> dict:
        return {'image_size': min(4, self.t)}


def contrasted(s: Sizes) -> tuple:
    """Return scores of a memory bank of d samples, the own sample of each, those in contrast with it, and the normaliser."""
    own, others = torch.randint(s.d, (s.n,)), torch.rand(s.n, s.d) < 0.5
    return s.tensor(s.n, s.d), own, others, torch.tensor(2.0, dtype=s.dtype)


def mixed(s: Sizes) -> tuple:
    frequencies = s.h * (s.w // 2 + 1)
    return s.tensor(s.n, s.c, s.h, s.w), s.complex(frequencies, s.c, s.d), s.tensor(s.d)


# For each function its arguments, tensors or arrays, and its options.
CALLS: dict[str, Callable[[Sizes], tuple[tuple, dict]]] = {
    'absolute_error': lambda s: (s.maps(), {}),
    'activation_map_distance': lambda s: ((*s.maps(s.k), s.labels()), dict(size=2, normalize=True)),
    'angle_distance': lambda s: (s.features(), {}),
    'attention_distance': lambda s: ((s.maps()[0], s.maps(s.d)[0]), {}),
    'batch_consistency': lambda s: ((s.tensor(s.n, s.n),), {}),
    'batch_contrast': lambda s: ((s.tensor(s.n, s.n),), {}),
    'channel_summary': lambda s: ((s.tensor(s.n, s.c, s.t + 1),), {}),
    'close_essential_persistence': lambda s: ((s.signal(),), {}),
    'correlation_distance': lambda s: (s.responses(), dict(tau=4.0)),
    'cosine_distance': lambda s: (s.maps(), {}),
    'curriculum_weights': lambda s: ((s.share(s.n),), dict(done=0.25)),
    'decoupled_kl': lambda s: ((*s.responses(), s.labels()), dict(tau=4.0)),
    'expert_weights': lambda s: ((s.share(s.k), s.share(s.k)), dict(alpha=0.3)),
    'frequency_attention': lambda s: ((s.tensor(s.n, s.c, s.h, s.w), s.complex(s.c, s.d, s.h, s.w)), {}),
    'gramian_angular_field': lambda s: ((s.array(s.n, s.c, s.t),), s.image()),
    'gramian_angular_field_on_device': lambda s: ((s.signal(),), s.image()),
    'half_spectrum': lambda s: ((s.complex(s.c, s.d, s.h, s.w),), {}),
    'high_pass_mask': lambda s: ((), dict(space=(s.h, s.w), cutoff=0.5)),
    'interpolate': lambda s: ((s.tensor(s.n, s.c, s.h, s.w),), dict(size=(s.k, s.d), mode='linear')),
    'joint_evidence': lambda s: ((s.distribution(s.n, s.t), s.tensor(s.n, s.h, s.w)), {}),
    'markov_transition_field': lambda s: ((s.signal(),), s.image()),
    'minimum_norm_weights': lambda s: ((s.gram(),), {}),
    'neighbour_scores': lambda s: (s.maps(2 * s.c), dict(groups=2, kernel_size=3)),
    'neighbour_sum': lambda s: ((s.tensor(s.n, 2, 9, s.h, s.w), s.tensor(s.n, 2 * s.c, s.h, s.w)), dict(kernel_size=3)),
    'noise_contrast': lambda s: (contrasted(s), {}),
    'pair_distance': lambda s: (s.features(), {}),
    'persistence_image': lambda s: ((np.sort(s.array(s.n, s.k, 2), -1),), IMAGE),
    'pyramid_error': lambda s: (s.maps(), {}),
    'recurrence_plot': lambda s: ((s.tensor(s.n, s.c, s.t + 1),), dict(dimension=2, **s.image())),
    'row_distance': lambda s: ((s.tensor(s.n, s.n), s.tensor(s.n, s.n)), {}),
    'scalogram': lambda s: ((s.signal(),), dict(scales=(1.0, 2.5))),
    'signal_to_persistence_image': lambda s: ((s.array(s.n, s.c, s.t),), IMAGE),
    'signal_to_persistence_image_on_device': lambda s: ((s.signal(),), IMAGE),
    'similarity_distance': lambda s: (s.features(), {}),
    'similarity_map': lambda s: ((s.tensor(s.n, s.c, s.h),), {}),
    'softened_kl': lambda s: (s.responses(), dict(tau=4.0)),
    'spectral_mix': lambda s: (mixed(s), {}),
    'spectrogram': lambda s: ((s.signal(),), dict(segment=6, hop=2)),
    'squared_error': lambda s: (s.maps(), {}),
    'standardized': lambda s: ((s.tensor(s.n, s.k),), {}),
    'sublevel_persistence': lambda s: ((s.array(s.n, s.t),), {}),
    'sublevel_persistence_on_device': lambda s: ((s.tensor(s.n, s.t),), {}),
    'temporal_attention': lambda s: ((s.tensor(s.n, s.c, s.t),), {}),
    'temporal_evidence': lambda s: ((s.distribution(s.n, s.t), s.tensor(s.n, s.h, s.w)), {}),
    'time_marginal': lambda s: ((s.positive(s.n, s.h, s.w),), dict(length=s.t)),
}


def arguments_of(name: str, sizes: Sizes | None = None, seed: int = 0) -> tuple[list, dict]:
    """Return arguments of a function, tensors or arrays, and its options: the same for the same seed."""
    torch.manual_seed(seed)
    arguments, options = CALLS[name](sizes or Sizes())
    return list(arguments), dict(options)
