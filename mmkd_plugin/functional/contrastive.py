"""Contrast between the two representations of one sample and the representations of others."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .precision import in_full_precision

__all__ = ['batch_consistency', 'batch_contrast', 'noise_contrast']

SMALL = 1e-12  # likelihood up to which a quotient's gradient leaves the range of float32


@in_full_precision
def noise_contrast(scores: Tensor, positive: Tensor, negative: Tensor, z: float | Tensor) -> Tensor:
    """Return the noise-contrastive loss of each sample against the n samples of a memory bank.

    Tian et al., ICLR 2020, section 3.2 with its code's estimate: with P = exp(score) / Z, N negatives and noise p = 1 / n,
    −log(P₊ / (P₊ + N p)) − Σ log(N p / (P₋ + N p)).

    Args:
        scores (Tensor): Similarity over temperature to each sample of the memory bank, ``(N, n)``.
        positive (Tensor): Index of each sample itself in the memory bank, ``(N, )``.
        negative (Tensor): True for the entries that a sample is contrasted with, ``(N, n)``, boolean; their number may
            differ between samples.
        z (float | Tensor): Normaliser Z.

    Returns:
        Tensor: ``(N, )``.
    """
    likelihood = scores.exp() / z  # (N, n)
    noise = negative.sum(1, keepdim=True).to(scores.dtype) / scores.shape[1]  # (N, 1): N p
    own = likelihood.gather(1, positive[:, None])  # (N, 1)
    # Where the likelihood is so small that its square is 0, the loss is the difference of logarithms.
    some = torch.where(noise > 0, noise, 1.0)  # a sample without negatives has no term that is divided by their number
    log_noise = some.log()
    log_own = scores.gather(1, positive[:, None]) - (z.log() if isinstance(z, Tensor) else math.log(z))
    far = (own < SMALL) & (noise > 0)
    ratio = noise / torch.where(far, 1.0, own)
    missed = torch.where(far, F.softplus(log_noise - log_own), torch.log1p(ratio))[:, 0]
    confused = torch.log1p(likelihood / some)
    return missed + torch.where(negative, confused, 0.0).sum(1)


@in_full_precision
def batch_contrast(scores: Tensor) -> Tensor:
    """Return the cross entropy of every row of a batch's similarities with its diagonal.

    Args:
        scores (Tensor): ``(N, N)``.

    Returns:
        Tensor: ``(N, )``.
    """
    return F.cross_entropy(scores, torch.arange(len(scores), device=scores.device), reduction='none')


@in_full_precision
def batch_consistency(scores: Tensor) -> Tensor:
    """Return the divergence between the relations of the two sides to the batch.

    Row i holds the similarities of the first side's sample i to all of the second's; column i holds the reverse. The divergence
    is KL(softmax of column i ‖ softmax of row i).

    Args:
        scores (Tensor): ``(N, N)``.

    Returns:
        Tensor: ``(N, )``.
    """
    return F.kl_div(scores.log_softmax(1), scores.T.log_softmax(1), reduction='none', log_target=True).sum(1)
