"""Knowledge in responses: the student's softened response approaches the teachers'."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkd_plugin.engine import training_progress
from mmkd_plugin.functional import correlation_distance, curriculum_weights, decoupled_kl, softened_kl, standardized
from mmkd_plugin.functional.precision import in_full_precision
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Taps, check_number, check_variant

from .base import Transfer

__all__ = ['CorrelationTransfer', 'CurriculumTransfer', 'DecoupledTransfer', 'ResponseTransfer']


@MODELS.register_module()
class ResponseTransfer(Transfer):
    """Distance τ² · KL(teacher ‖ student) between softened responses.

    Hinton, Vinyals & Dean 2015, section 2. With several teachers, three methods differ in what is averaged:

    - 'losses': Σ_t w_t · KL_t, as in most multi-teacher code.
    - 'probs': KL to Σ_t w_t · p_t / W times W = Σ_t w_t; its gradient is that of 'losses'. The mixture is a probability and the
      weights' sum a factor, also where weights do not sum to 1 (``Entropy(variant='reference')``, ``Fixed``).
    - 'logits': KL to the softmax of Σ_t w_t · z_t, which is AVER (You et al., KDD 2017, section 3.1). Weights are used as
      given: a sum other than 1 acts on the teacher's temperature.

    Args:
        tau (float): Temperature, above 0.
        average (str): 'losses', 'probs' or 'logits'.
        reduction (str): 'batchmean', the mean over samples, or 'mean', over samples and classes, as torch's ``KLDivLoss`` does
            by default and published code of this field with it: 1 / K of the former.
        standardize (bool | str): Put every network's z-scores over the classes in the place of its logits, before anything is
            averaged (logit standardisation: Sun et al., CVPR 2024, section 4, https://arxiv.org/abs/2403.01427). 'reference'
            divides by torch's standard deviation, as the published code does.
        **transfer: See :class:`Transfer`.

    Raises:
        ValueError: tau is not above 0, or the average, the reduction or the standardisation is unknown.
    """

    def __init__(
        self,
        tau: float = 4.0,
        average: str = 'losses',
        reduction: str = 'batchmean',
        standardize: bool | str = False,
        **transfer,
    ) -> None:
        super().__init__(**transfer)
        if average not in ('losses', 'probs', 'logits'):
            raise ValueError(f"average must be 'losses', 'probs' or 'logits', got {average!r}")
        if reduction not in ('batchmean', 'mean'):
            raise ValueError(f"reduction must be 'batchmean' or 'mean', got {reduction!r}")
        if standardize not in (False, True, 'reference'):
            raise ValueError(f"standardize must be False, True or 'reference', got {standardize!r}")
        self.tau, self.average, self.reduction = check_number('tau', tau, above=0), average, reduction
        self.standardize = standardize

    def read(self, taps: Mapping[str, Taps]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the target and the knowledge, one of each for every source, as logits or as their z-scores."""
        targets, sources = super().read(taps)
        if not self.standardize:
            return targets, sources
        variant = 'reference' if self.standardize == 'reference' else 'paper'
        return [standardized(z, variant) for z in targets], [standardized(z, variant) for z in sources]

    def combine(
        self, targets: list[Tensor], sources: list[Tensor], weights: Tensor, labels: Tensor, present: Tensor | None = None
    ) -> Tensor:
        """Return Σ_t w_tn · distance_tn, or the distance from the average of the teachers, ``(N, )``."""
        combined = self._combine(targets, sources, weights, labels, present)
        return combined / targets[0].shape[1] if self.reduction == 'mean' else combined

    @in_full_precision
    def _combine(
        self, targets: list[Tensor], sources: list[Tensor], weights: Tensor, labels: Tensor, present: Tensor | None
    ) -> Tensor:
        if self.average == 'losses':
            return super().combine(targets, sources, weights, labels, present)
        logits, weights = torch.stack(sources), weights[..., None]  # (T, N, K), (T, N, 1)
        if self.average == 'logits':
            return self.distance(targets[0], (weights * logits).sum(0), labels)  # to (N, K)
        # tau · log Σ_t w_t p_t are logits whose softened response is the average, whatever the sum of the weights. Where all
        # weights are 0 so is the loss, and the logits must be finite.
        log_p = (logits / self.tau).log_softmax(2) + weights.clamp_min(torch.finfo(weights.dtype).tiny).log()
        mean = self.tau * log_p.logsumexp(0)
        return weights.sum((0, 2)) * self.distance(targets[0], mean, labels)

    def distance(self, target: Tensor, source: Tensor, labels: Tensor) -> Tensor:
        """Return the distance of logits ``(N, K)`` and ``(N, K)``, ``(N, )``."""
        return softened_kl(target, source, self.tau)


@MODELS.register_module()
class DecoupledTransfer(ResponseTransfer):
    """DKD: the divergence in two weighted parts, the target against the other classes and among the other classes.

    Zhao et al., CVPR 2022, equation 7.

    Args:
        alpha (float): Weight of the target against the other classes, at least 0.
        beta (float): Weight of the divergence among the other classes, at least 0.
        **response: See :class:`ResponseTransfer`.
    """

    def __init__(self, alpha: float = 1.0, beta: float = 8.0, **response) -> None:
        super().__init__(**response)
        self.alpha, self.beta = check_number('alpha', alpha), check_number('beta', beta)

    def distance(self, target: Tensor, source: Tensor, labels: Tensor) -> Tensor:
        """Return the distance of logits ``(N, K)`` and ``(N, K)`` for labels ``(N, )``, ``(N, )``."""
        return decoupled_kl(target, source, labels, self.tau, self.alpha, self.beta)


@MODELS.register_module()
class CorrelationTransfer(ResponseTransfer):
    """DIST: Pearson's correlation instead of a divergence, over the classes of a sample and over the samples of a class.

    Huang et al., NeurIPS 2022, equation 10.

    Args:
        beta (float): Weight of the part over classes, at least 0.
        gamma (float): Weight of the part over samples, at least 0.
        variant (str): See :func:`~mmkd_plugin.functional.correlation_distance`.
        **response: See :class:`ResponseTransfer`.
    """

    def __init__(self, beta: float = 1.0, gamma: float = 1.0, variant: str = 'paper', **response) -> None:
        super().__init__(**response)
        self.variant = check_variant(variant)
        self.beta, self.gamma = check_number('beta', beta), check_number('gamma', gamma)

    def distance(self, target: Tensor, source: Tensor, labels: Tensor) -> Tensor:
        """Return the distance of logits ``(N, K)`` and ``(N, K)``, ``(N, )``."""
        return correlation_distance(target, source, self.tau, self.beta, self.gamma, self.variant)


@MODELS.register_module()
class CurriculumTransfer(Transfer):
    """Label loss in which a sample counts as much as the teachers trust its label, at first, and all samples alike later.

    LFME, curriculum instance selection: Xiang, Ding & Han, "Learning From Multiple Experts" (ECCV 2020,
    https://arxiv.org/abs/2001.01536). It takes the place of the learner's own label loss, whose ``ce_weight`` is then 0. The
    published code multiplies the logits by these weights, which changes the softmax too, and lets them grow to 2 − c; here they
    multiply the loss and end at 1.

    Args:
        over (float): Share of the run after which all samples count alike, above 0.
        **transfer: See :class:`Transfer`. ``source`` and ``target`` are logits.

    Raises:
        ValueError: ``over`` is out of range, or an address is not that of logits.
    """

    def __init__(self, over: float = 1.0, **transfer) -> None:
        super().__init__(**transfer)
        self.over = check_number('over', over, high=1)
        wrong = [str(address) for address in (*self.sources, self.target) if address.tap != 'logits']
        if wrong or not self.over:
            raise ValueError(f'a curriculum reads logits, over a share of the run above 0; got {wrong or over}')

    @in_full_precision
    def distance(self, target: Tensor, source: Tensor, labels: Tensor) -> Tensor:
        """Return the weighted label loss of logits ``(N, K)`` for labels ``(N, )``, ``(N, )``; the teacher's are ``(N, K)``."""
        confidence = source.softmax(1).gather(1, labels[:, None])[:, 0]
        done = min(1.0, training_progress() / self.over)
        return curriculum_weights(confidence, done) * F.cross_entropy(target, labels, reduction='none')
