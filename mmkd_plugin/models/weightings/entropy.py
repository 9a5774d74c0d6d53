"""Entropy weights: a teacher has less weight where its response is uncertain."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmkd_plugin.functional.precision import in_full_precision
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import check_variant

__all__ = ['Entropy']


@MODELS.register_module()
class Entropy(nn.Module):
    """w_t = (1 − H_t / Σ_u H_u) / (T − 1), with H_t the entropy of teacher t's response to the sample.

    Entropy-based KD: Kwon et al., ICPR 2020. One teacher alone gets weight 1; where every teacher is certain, all get 1/T.

    Args:
        names (Sequence[str]): Names of the source networks, given by the transfer.
        variant (str): 'paper' sums to 1. 'reference' is the scale of public code, (1 − H_t / Σ_u H_u) / T, which sums to
            (T − 1) / T: multiply the transfer's weight by that factor to go from 'reference' to 'paper'.

    Raises:
        ValueError: The variant is unknown.
    """

    def __init__(self, names: Sequence[str], variant: str = 'paper') -> None:
        super().__init__()
        self.names, self.variant = tuple(names), check_variant(variant)

    @in_full_precision
    def forward(self, logits: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the weights of the teachers.

        Args:
            logits (Sequence[Tensor]): Logits of each source, ``(N, K)``.
            labels (Tensor): ``(N, )``, not used.

        Returns:
            Tensor: ``(T, N)``.
        """
        teachers = len(logits)
        if teachers == 1:
            return torch.ones_like(labels, dtype=logits[0].dtype)[None]  # (1, N)
        # A saturated response has p = 0 at a log p that is finite, hence entropy 0 and not NaN.
        log_p = torch.stack([z.detach().log_softmax(1) for z in logits])  # (T, N, K)
        entropy = -(log_p.exp() * log_p).sum(2)  # (T, N)
        total = entropy.sum(0)  # (N, )
        share = torch.where(total > 0, entropy / total.clamp_min(torch.finfo(total.dtype).tiny), 1 / teachers)
        return (1 - share) / (teachers - 1 if self.variant == 'paper' else teachers)
