"""Knowledge in answers: the student's softened answer follows the teachers'."""

from __future__ import annotations

from torch import Tensor

from mmkd_plugin.functional import softened_kl
from mmkd_plugin.registry import MODELS

from .base import Transfer

__all__ = ['ResponseTransfer']


@MODELS.register_module()
class ResponseTransfer(Transfer):
    """Distance τ² · KL(teacher ‖ student) between softened answers.

    Hinton, Vinyals & Dean 2015, section 2. With several sources, Σ_t w_t · KL_t, whose gradient is that of the KL to the
    weighted mean of the teachers' probabilities.

    Args:
        tau (float): Temperature, above 0.
        **arrow: See :class:`Transfer`.

    Raises:
        ValueError: tau is not above 0.
    """

    def __init__(self, tau: float = 4.0, **arrow) -> None:
        super().__init__(**arrow)
        if not tau > 0:
            raise ValueError(f'tau must be above 0, got {tau}')
        self.tau = tau

    def distance(self, target: Tensor, source: Tensor) -> Tensor:
        """``(N, K)``, ``(N, K)`` to ``(N, )``."""
        return softened_kl(target, source, self.tau)
