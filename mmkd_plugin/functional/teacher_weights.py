"""Weights of teachers and of samples that are computed and not chosen."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ['curriculum_weights', 'expert_weights', 'minimum_norm_weights']

GAP = 1e-9  # tolerance of the optimum, in units of the largest squared norm
STEPS = 10_000  # most exchanges between two teachers


def minimum_norm_weights(gram: Tensor, largest: float = 1.0) -> Tensor:
    """Return the weights of the shortest convex combination of vectors, each weight bounded above.

    Minimise ½ wᵀGw with Σ w = 1 and 0 ≤ w ≤ largest. Weight goes from the vector with the largest derivative to that with the
    smallest, exactly as much as is best for the two, until these derivatives differ by at most 1e-9 of the largest squared
    norm, which bounds the distance of ½ wᵀGw from its minimum. Where the minimum is not unique, the result is the one that is
    reached from equal weights.

    Args:
        gram (Tensor): Inner products of the vectors G, ``(T, T)``.
        largest (float): Greatest weight of a vector, from 1 / T to 1.

    Returns:
        Tensor: ``(T, )``, float64, on the device of the inner products.

    Raises:
        ValueError: ``largest`` is below 1 / T, so that no weights sum to 1.
    """
    q = gram.detach().double().tolist()
    teachers = range(len(q))
    if largest * len(q) < 1 - 1e-9:
        raise ValueError(f'the greatest weight of {len(q)} teachers must be at least {1 / len(q):g}, got {largest:g}')
    w = [1 / len(q)] * len(q)
    slope = [sum(row) / len(q) for row in q]
    enough = GAP * max(q[t][t] for t in teachers)
    for _ in range(STEPS):
        less = max((t for t in teachers if w[t] > 0), key=slope.__getitem__)
        more = min((t for t in teachers if w[t] < largest), key=slope.__getitem__, default=less)
        gap = slope[less] - slope[more]
        if not gap > enough:
            break
        curvature = q[more][more] + q[less][less] - 2 * q[more][less]
        room = min(largest - w[more], w[less])
        step = min(room, gap / curvature if curvature > 0 else math.inf)
        w[more] = largest if step == largest - w[more] else w[more] + step
        w[less] = 0.0 if step == w[less] else w[less] - step
        slope = [s + step * (q[t][more] - q[t][less]) for t, s in enumerate(slope)]
    return torch.tensor(w, dtype=torch.float64, device=gram.device)


def expert_weights(student: Tensor, teachers: Tensor, alpha: float) -> Tensor:
    """Return weights that fall from 1 to 0 as the student's accuracies go from a share of the teachers' to theirs.

    LFME: Xiang et al., ECCV 2020, self-paced expert selection: 1 while the student's accuracy is at most α times the teacher's,
    then (teacher − student) / ((1 − α) · teacher), and 0 beyond the teacher's.

    Args:
        student (Tensor): Accuracies of the student on each teacher's classes, ``(T, )``.
        teachers (Tensor): Accuracies of the teachers, ``(T, )``; NaN gives NaN.
        alpha (float): α, at least 0 and below 1.

    Returns:
        Tensor: ``(T, )``, from 0 to 1.
    """
    left = (teachers - student) / ((1 - alpha) * teachers)
    return torch.where(student <= alpha * teachers, 1.0, left.clamp(0, 1))


def curriculum_weights(confidence: Tensor, done: float) -> Tensor:
    """Return weights of samples that go from the confidence in their labels to 1, along a straight line.

    LFME: Xiang et al., ECCV 2020, curriculum instance selection.

    Args:
        confidence (Tensor): Probability that a teacher gives to each sample's label, ``(N, )``.
        done (float): Share of the curriculum that is done, from 0 to 1.

    Returns:
        Tensor: ``(N, )``.
    """
    return confidence + (1 - confidence) * done
