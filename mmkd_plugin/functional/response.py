"""Distances between responses: the divergence, its parts, and correlation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .precision import in_full_precision

__all__ = ['correlation_distance', 'decoupled_kl', 'softened_kl', 'standardized']

TINY = 1e-8  # least norm that a correlation divides by
ROUNDING = 16  # units in the last place by which a constant vector may vary


@in_full_precision
def softened_kl(logits: Tensor, teacher_logits: Tensor, tau: float) -> Tensor:
    r"""Return the divergence of the student's softened response from the teacher's, times tau squared.

    :math:`\tau^2 \sum_k p_k \log (p_k / s_k)` with :math:`p, s` the softmax of logits over tau. Hinton et al. 2015, section 2:
    the factor keeps the gradient's size as tau changes.

    Args:
        logits (Tensor): Student logits, ``(N, K)``.
        teacher_logits (Tensor): Teacher logits, ``(N, K)``.
        tau (float): Temperature, above 0. At 1 the unit is nats.

    Returns:
        Tensor: ``(N, )``.

    Raises:
        ValueError: tau is not above 0.
    """
    if not tau > 0:
        raise ValueError(f'tau must be above 0, got {tau}')
    log_s = F.log_softmax(logits / tau, dim=1)
    log_t = F.log_softmax(teacher_logits / tau, dim=1)
    kl = F.kl_div(log_s, log_t, reduction='none', log_target=True)  # (N, K)
    return tau**2 * kl.sum(1)


@in_full_precision
def standardized(logits: Tensor, variant: str = 'paper') -> Tensor:
    """Return the z-scores of each sample's logits over the classes.

    Sun et al., CVPR 2024, section 4. Logits that are constant up to rounding have z-scores 0, without gradient.

    Args:
        logits (Tensor): ``(N, K)``.
        variant (str): 'paper' divides by the root of the mean square, 'reference' by torch's standard deviation, whose sum of
            squares is over K − 1, as the published code does.

    Returns:
        Tensor: ``(N, K)``, with mean 0.

    Raises:
        ValueError: The variant is unknown.
    """
    if variant not in ('paper', 'reference'):
        raise ValueError(f"variant must be 'paper' or 'reference', got {variant!r}")
    classes = logits.shape[1]
    freedom = classes if variant == 'paper' else classes - 1
    apart = logits - logits.mean(1, keepdim=True)  # (N, K)
    norm = apart.norm(dim=1, keepdim=True)  # (N, 1)
    return freedom**0.5 * apart / torch.where(norm > _least_norm(logits)[:, None], norm, torch.inf)


@in_full_precision
def decoupled_kl(
    logits: Tensor, teacher_logits: Tensor, labels: Tensor, tau: float, alpha: float = 1.0, beta: float = 8.0
) -> Tensor:
    r"""Return the divergence in two weighted parts: the target against the other classes, and among the other classes.

    Zhao et al., CVPR 2022, equation 7: :math:`\alpha\,TCKD + \beta\,NCKD`, each times tau squared. With alpha = 1 and beta the
    teacher's softened probability of a wrong class this is :func:`softened_kl`.

    Args:
        logits (Tensor): Student logits, ``(N, K)``.
        teacher_logits (Tensor): Teacher logits, ``(N, K)``.
        labels (Tensor): ``(N, )``.
        tau (float): Temperature, above 0.
        alpha (float): Weight of the target against the other classes.
        beta (float): Weight of the divergence among the other classes.

    Returns:
        Tensor: ``(N, )``.

    Raises:
        ValueError: tau is not above 0, or there is one class only.
    """
    if not tau > 0 or logits.shape[1] < 2:
        raise ValueError(f'tau must be above 0 and there must be two classes, got tau={tau} and {logits.shape[1]} class(es)')
    wrong = torch.ones_like(logits, dtype=torch.bool).scatter(1, labels[:, None], False)  # (N, K)
    parts = []
    for z in (logits / tau, teacher_logits / tau):
        rest = z[wrong].view(len(z), -1)  # (N, K − 1)
        binary = torch.stack([z[~wrong], rest.logsumexp(1)], 1).log_softmax(1)  # (N, 2): target, any other
        parts.append((binary, rest.log_softmax(1)))
    (target_s, rest_s), (target_t, rest_t) = parts
    tckd = F.kl_div(target_s, target_t, reduction='none', log_target=True).sum(1)  # (N, )
    nckd = F.kl_div(rest_s, rest_t, reduction='none', log_target=True).sum(1)  # (N, )
    return tau**2 * (alpha * tckd + beta * nckd)


@in_full_precision
def correlation_distance(
    logits: Tensor, teacher_logits: Tensor, tau: float, beta: float = 1.0, gamma: float = 1.0, variant: str = 'paper'
) -> Tensor:
    """Return one minus Pearson's correlation of softened responses, over classes and over samples.

    DIST: Huang et al., NeurIPS 2022, equations 8 to 10, times tau squared as in the published code. The part over the
    samples of a class is one number for the batch and the same for every sample.

    Args:
        logits (Tensor): Student logits, ``(N, K)``.
        teacher_logits (Tensor): Teacher logits, ``(N, K)``.
        tau (float): Temperature, above 0.
        beta (float): Weight of the part over classes.
        gamma (float): Weight of the part over samples.
        variant (str): 'paper' is Pearson's correlation, 0 for a constant row; 'reference' adds 1e-8 to the product of the two
            norms, as the published code does, which counts where a class is absent from the batch.

    Returns:
        Tensor: ``(N, )``.

    Raises:
        ValueError: tau is not above 0, or the variant is unknown.
    """
    if not tau > 0:
        raise ValueError(f'tau must be above 0, got {tau}')
    if variant not in ('paper', 'reference'):
        raise ValueError(f"variant must be 'paper' or 'reference', got {variant!r}")
    s, t = (logits / tau).softmax(1), (teacher_logits / tau).softmax(1)
    between = 1 - _pearson(s, t, variant)  # (N, )
    within = 1 - _pearson(s.T, t.T, variant).mean()
    return tau**2 * (beta * between + gamma * within)


def _pearson(a: Tensor, b: Tensor, variant: str) -> Tensor:
    """Return the correlation of the rows, ``(N, K)`` and ``(N, K)`` to ``(N, )``."""
    x, y = (row - row.mean(1, keepdim=True) for row in (a, b))
    if variant == 'reference':
        return (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1) + TINY)
    # A row that is constant up to rounding has no direction: its correlation is 0, and no gradient divides by its norm.
    vary = (x.norm(dim=1) > _least_norm(a)) & (y.norm(dim=1) > _least_norm(b))
    return torch.where(vary, F.cosine_similarity(x, y, dim=1, eps=TINY), 0.0)


def _least_norm(rows: Tensor) -> Tensor:
    """Return the norm up to which rows ``(N, K)`` without their means are those of constant rows, ``(N, )``."""
    return ROUNDING * torch.finfo(rows.dtype).eps * rows.norm(dim=1)
