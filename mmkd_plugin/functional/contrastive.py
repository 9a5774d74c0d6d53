"""Contrast: a sample's two representations belong together, those of others do not."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ['batch_consistency', 'batch_contrast', 'noise_contrast']


def noise_contrast(scores: Tensor, positive: Tensor, negative: Tensor, z: float | Tensor) -> Tensor:
    """Noise-contrastive loss of one sample against all n remembered ones.

    Tian et al., ICLR 2020, section 3.2 with its code's estimate: with P = exp(score) / Z, N negatives and noise p = 1 / n,
    −log(P₊ / (P₊ + N p)) − Σ log(N p / (P₋ + N p)).

    Args:
        scores (Tensor): Similarity over temperature to each remembered sample, ``(N, n)``.
        positive (Tensor): Place of each sample itself, ``(N, )``.
        negative (Tensor): Which remembered samples are contrasted, ``(N, n)``, boolean; each sample may have another number.
        z (float | Tensor): Normaliser Z.

    Returns:
        Tensor: ``(N, )``.
    """
    likelihood = scores.exp() / z  # (N, n)
    noise = negative.sum(1, keepdim=True) / scores.shape[1]  # (N, 1): N p
    own = likelihood.gather(1, positive[:, None])  # (N, 1)
    found = torch.log1p(noise / own)[:, 0]
    confused = torch.log1p(likelihood / noise.clamp_min(torch.finfo(scores.dtype).tiny))
    return found + torch.where(negative, confused, 0.0).sum(1)


def batch_contrast(scores: Tensor) -> Tensor:
    """Cross entropy of every row of a batch's similarities with its diagonal: ``(N, N)`` to ``(N, )``."""
    return F.cross_entropy(scores, torch.arange(len(scores), device=scores.device), reduction='none')


def batch_consistency(scores: Tensor) -> Tensor:
    """Divergence of how the first side relates to the batch from how the second side does.

    Row i holds the similarities of the first side's sample i to all of the second's; column i the other way round. KL(softmax
    of column i ‖ softmax of row i).

    Args:
        scores (Tensor): ``(N, N)``.

    Returns:
        Tensor: ``(N, )``.
    """
    return F.kl_div(scores.log_softmax(1), scores.T.log_softmax(1), reduction='none', log_target=True).sum(1)
