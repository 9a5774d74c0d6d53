"""Weights that make the teachers' common gradient as short as possible: where teachers disagree, the compromise of all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmkd_plugin.functional import minimum_norm_weights
from mmkd_plugin.functional.precision import in_full_precision
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import check_number, check_variant

__all__ = ['MinimumNorm']


@MODELS.register_module()
class MinimumNorm(nn.Module):
    """Weights of the smallest norm of Σ_t w_t g_t, with g_t the gradient of teacher t's distance at the student's logits.

    AE-KD: Du et al., "Agree to Disagree: Adaptive Ensemble Knowledge Distillation in Gradient Space" (NeurIPS 2020,
    https://github.com/AnTuo1998/AE-KD). The combination is a direction in which no teacher's distance grows; a bound C on each
    weight tolerates disagreement: with C = 1 a teacher may be left out, with C = 1/T all count alike. The weights are those of
    a batch, the same for each of its samples; with several processes, those of all parts of the batch together.

    Departures: a published C outside 1/T to 1 is moved into that range in silence, here it is refused; the code's second form,
    gradients at a hidden feature, is not offered.

    Args:
        names (Sequence[str]): Names of the source networks, given by the transfer.
        tolerance (float): C, the greatest weight of a teacher, from 1/T to 1.
        variant (str): 'paper' compares the gradients of all samples; 'reference' the means over the samples, as the published
            code does.

    Raises:
        ValueError: The tolerance is out of range, or the variant is unknown.
    """

    of = 'gradients'  # what the transfer hands over in the place of the sources' logits

    def __init__(self, names: Sequence[str], tolerance: float = 0.6, variant: str = 'paper') -> None:
        super().__init__()
        self.names, self.variant = tuple(names), check_variant(variant)
        self.tolerance = check_number('tolerance', tolerance, low=1 / len(self.names), high=1)

    @in_full_precision
    def forward(self, gradients: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the weights of the teachers.

        Args:
            gradients (Sequence[Tensor]): Gradient of each source's distances at the student's logits, ``(N, K)``.
            labels (Tensor): ``(N, )``.

        Returns:
            Tensor: ``(T, N)``.
        """
        stacked = torch.stack(list(gradients)).detach()  # (T, N, K)
        if self.variant == 'paper':
            vectors = stacked.flatten(1)
            gram = vectors @ vectors.T  # (T, T)
            all_reduce(gram)
        else:
            mean = stacked.mean(1)  # (T, K)
            all_reduce(mean, op='mean')
            gram = mean @ mean.T
        weights = minimum_norm_weights(gram, self.tolerance).to(stacked.dtype)
        return weights[:, None].expand(-1, labels.shape[0])  # (T, N)
