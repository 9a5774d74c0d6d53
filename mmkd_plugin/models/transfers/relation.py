"""Knowledge in relations: spatial attention, and relations between the samples of a batch, between features of any shape."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from mmkd_plugin.functional import (
    angle_distance,
    attention_distance,
    pair_distance,
    row_distance,
    similarity_distance,
    similarity_map,
)
from mmkd_plugin.functional.precision import in_full_precision, unit
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Shape, check_number, check_variant

from .base import Feature, Transfer, over_present, stage_sum

__all__ = ['AttentionTransfer', 'MergedSimilarityTransfer', 'RelationTransfer']

RELATIONS = {'similarity': similarity_distance, 'distance': pair_distance, 'angle': angle_distance}


@MODELS.register_module()
class AttentionTransfer(Transfer):
    """Spatial attention maps of two stages, whatever their channels: AT.

    Zagoruyko & Komodakis, ICLR 2017, section 3.1; over several stages, the sum of theirs.

    Args:
        p (float): Exponent of ``|F|``.
        variant (str): For stages of other sizes: 'paper' resizes the student's to the teacher's; 'reference' pools the larger
            to the smaller, as the code of Tian et al., ICLR 2020, does.
        **transfer: See :class:`Transfer`.
    """

    def __init__(self, p: float = 2.0, variant: str = 'paper', **transfer) -> None:
        super().__init__(**transfer)
        self.variant = check_variant(variant)
        self.p = check_number('p', p, above=0)

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Return the source's size with the target's channels, or the target's shape where the larger is pooled."""
        if isinstance(source[0], tuple):
            return tuple(self.goal(t, s) for t, s in zip(target, source)) if len(target) == len(source) else source
        return target if self.variant == 'reference' and len(target) == len(source) else (target[0], *source[1:])

    def distance(self, target: Tensor | tuple[Tensor, ...], source: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """Return the distance of ``(N, C, *S)`` and ``(N, C', *S)``, or of one per stage, ``(N, )``."""
        return stage_sum(partial(attention_distance, p=self.p), target, source)


@MODELS.register_module()
class RelationTransfer(Transfer):
    """Relations between the samples of a batch, as student and teacher see them.

    'similarity' is SP (Tung & Mori, ICCV 2019); 'distance' and 'angle' are the two parts of RKD (Park et al., CVPR 2019).

    Args:
        relation (str): 'similarity', 'distance' or 'angle', from :mod:`mmkd_plugin.functional`.
        **transfer: See :class:`Transfer`.

    Raises:
        ValueError: The relation is unknown.
    """

    def __init__(self, relation: str, **transfer) -> None:
        super().__init__(**transfer)
        if relation not in RELATIONS:
            raise ValueError(f'relation must be one of {", ".join(RELATIONS)}, got {relation!r}')
        self.relation = RELATIONS[relation]

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Return the target's shape: any shapes are compared, since only samples are related."""
        return target

    def distance(self, target: Tensor, source: Tensor, labels: Tensor) -> Tensor:
        """Return the distance of ``(N, ...)`` and ``(N, ...)``, ``(N, )``."""
        return self.relation(target, source)


@MODELS.register_module()
class MergedSimilarityTransfer(Transfer):
    """Distance of the student's similarity map of a batch from the teachers' merged map Σ_t w_t G_t, stage by stage.

    TPKD: Jeon et al., "Topological persistence guided knowledge distillation for wearable sensor data" (arXiv:2407.05315). The
    paper also imposes orthogonality on these maps; with ``orthogonality=True``, G Gᵀ − I is compared in place of G.

    Args:
        orthogonality (bool): Compare the deviation of the maps' rows from orthogonality instead of the maps.
        variant (str): 'paper' merges the maps, whose rows are normalised; 'reference' merges Gram matrices and then normalises
            the rows, as public code does.
        **transfer: See :class:`Transfer`. Source and target are ``stages``, as many on every side, or single features.
    """

    def __init__(self, orthogonality: bool = False, variant: str = 'paper', **transfer) -> None:
        super().__init__(**transfer)
        self.variant = check_variant(variant)
        self.orthogonality = orthogonality

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Return the target's shape where both sides have as many stages, else the source's."""
        stages = [len(shape) if isinstance(shape[0], tuple) else 1 for shape in (target, source)]
        return target if stages[0] == stages[1] else source

    def combine(self, targets: list, sources: list, weights: Tensor, labels: Tensor, present: Tensor | None = None) -> Tensor:
        """Return the distance of one feature ``(N, ...)`` or one per stage, for each source, ``(N, )``."""
        everyone = None if present is None else present.all(0)  # a merged map relates windows that every teacher has seen
        return over_present(self._merged_distance, everyone, targets[0], weights.T, *sources)

    def _merged_distance(self, *features: Feature) -> Tensor:
        """Return the distance of a target from sources, ``(N, )``, with the weights ``(N, T)`` after the target."""
        target, (weights,), *sources = [(x,) if isinstance(x, Tensor) else x for x in features]
        early = self.variant == 'paper'
        levels = [torch.stack([similarity_map(source[level], early) for source in sources]) for level in range(len(target))]
        sums = [(weights.T[..., None] * maps).sum(0) for maps in levels]  # (N, N) each
        merged = tuple(sums if early else (unit(each, 1) for each in sums))
        return stage_sum(self._row_distance, tuple(similarity_map(feature) for feature in target), merged)

    def _row_distance(self, similarity: Tensor, goal: Tensor) -> Tensor:
        return row_distance(self._compared(similarity), self._compared(goal))

    @in_full_precision  # a Gram matrix of Gram matrices
    def _compared(self, similarity: Tensor) -> Tensor:
        if not self.orthogonality:
            return similarity
        return similarity @ similarity.T - torch.eye(len(similarity), device=similarity.device)
