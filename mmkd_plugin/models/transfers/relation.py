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
from mmkd_plugin.functional.precision import in_full_precision
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Shape, check_number

from .base import Transfer, stage_sum

__all__ = ['AttentionTransfer', 'MergedSimilarityTransfer', 'RelationTransfer']

RELATIONS = {'similarity': similarity_distance, 'distance': pair_distance, 'angle': angle_distance}


@MODELS.register_module()
class AttentionTransfer(Transfer):
    """Spatial attention maps of two stages of the same size, whatever their channels: AT.

    Zagoruyko & Komodakis, ICLR 2017, section 3.1; over several stages, the sum of theirs.

    Args:
        p (float): Exponent of |F|.
        **transfer: See :class:`Transfer`.
    """

    def __init__(self, p: float = 2.0, **transfer) -> None:
        super().__init__(**transfer)
        self.p = check_number('p', p, above=0)

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Return the source's size with the target's channels."""
        if isinstance(source[0], tuple):
            return tuple(self.goal(t, s) for t, s in zip(target, source)) if len(target) == len(source) else source
        return (target[0], *source[1:])

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
        **transfer: See :class:`Transfer`. Source and target are ``stages``, as many on every side, or single features.
    """

    def __init__(self, orthogonality: bool = False, **transfer) -> None:
        super().__init__(**transfer)
        self.orthogonality = orthogonality

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Return the target's shape where both sides have as many stages, else the source's."""
        stages = [len(shape) if isinstance(shape[0], tuple) else 1 for shape in (target, source)]
        return target if stages[0] == stages[1] else source

    def combine(self, targets: list, sources: list, weights: Tensor, labels: Tensor) -> Tensor:
        """Return the distance of one feature ``(N, ...)`` or one per stage, for each source, ``(N, )``."""
        target, *sources = [(x,) if isinstance(x, Tensor) else x for x in (targets[0], *sources)]
        levels = [torch.stack([similarity_map(source[level]) for source in sources]) for level in range(len(target))]
        merged = tuple((weights[..., None] * maps).sum(0) for maps in levels)  # (N, N) each
        return stage_sum(self._row_distance, tuple(similarity_map(feature) for feature in target), merged)

    def _row_distance(self, similarity: Tensor, goal: Tensor) -> Tensor:
        return row_distance(self._compared(similarity), self._compared(goal))

    @in_full_precision  # a Gram matrix of Gram matrices
    def _compared(self, similarity: Tensor) -> Tensor:
        if not self.orthogonality:
            return similarity
        return similarity @ similarity.T - torch.eye(len(similarity), device=similarity.device)
