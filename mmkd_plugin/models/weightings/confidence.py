"""Confidence-aware weights: a teacher has less weight on a sample that it classifies wrongly."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmkd_plugin.functional.precision import in_full_precision
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import check_variant

__all__ = ['Confidence']


@MODELS.register_module()
class Confidence(nn.Module):
    """w_t = (1 − softmax_t(CE_t)) / (T − 1), with CE_t teacher t's cross entropy on the sample.

    CA-MKD: Zhang, Chen & Wang, ICASSP 2022, equation 3; for features, the student's feature goes through the teacher's
    classifier. One teacher alone gets weight 1.

    Args:
        names (Sequence[str]): Names of the source networks, given by the transfer.
        of (str): Logits that are compared with the labels: the 'teacher''s own, or those of its classifier on the 'student''s
            feature.
        variant (str): 'paper' sums to 1, without gradient. 'reference' is the published code: weights over T more, which sum to
            1 / T, and a gradient through the weights where they are of the student.

    Raises:
        ValueError: ``of`` or the variant is unknown.
    """

    def __init__(self, names: Sequence[str], of: str = 'teacher', variant: str = 'paper') -> None:
        super().__init__()
        if of not in ('teacher', 'student'):
            raise ValueError(f"of must be 'teacher' or 'student', got {of!r}")
        self.names, self.of, self.variant = tuple(names), of, check_variant(variant)

    @in_full_precision
    def forward(self, logits: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the weights of the teachers.

        Args:
            logits (Sequence[Tensor]): Logits of each source, ``(N, K)``.
            labels (Tensor): ``(N, )``.

        Returns:
            Tensor: ``(T, N)``.
        """
        if len(logits) == 1:
            return torch.ones_like(labels, dtype=logits[0].dtype)[None]  # (1, N)
        teachers, reference = len(logits), self.variant == 'reference'
        learns = reference and self.of == 'student'
        errors = [F.cross_entropy(z if learns else z.detach(), labels, reduction='none') for z in logits]
        weights = (1 - torch.stack(errors).softmax(0)) / (teachers - 1)  # (T, N)
        return weights / teachers if reference else weights
