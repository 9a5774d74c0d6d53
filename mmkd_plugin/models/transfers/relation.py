"""Knowledge in relations: where a network looks, and how it relates the samples of a batch. Shapes need not be alike."""

from __future__ import annotations

from torch import Tensor

from mmkd_plugin.functional import angle_distance, attention_distance, pair_distance, similarity_distance
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Shape

from .base import Transfer

__all__ = ['AttentionTransfer', 'RelationTransfer']

RELATIONS = {'similarity': similarity_distance, 'distance': pair_distance, 'angle': angle_distance}


@MODELS.register_module()
class AttentionTransfer(Transfer):
    """Spatial attention maps of two stages of the same size, whatever their channels: AT.

    Zagoruyko & Komodakis, ICLR 2017, section 3.1; over several stages, the sum of theirs.

    Args:
        p (float): Exponent of |F|.
        **arrow: See :class:`Transfer`.
    """

    def __init__(self, p: float = 2.0, **arrow) -> None:
        super().__init__(**arrow)
        self.p = p

    def goal(self, target: Shape, source: Shape) -> Shape:
        """The source's size with the target's channels."""
        if isinstance(source[0], tuple):
            return tuple(self.goal(t, s) for t, s in zip(target, source)) if len(target) == len(source) else source
        return (target[0], *source[1:])

    def distance(self, target: Tensor | tuple[Tensor, ...], source: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """``(N, C, *S)`` and ``(N, C', *S)`` or one per stage to ``(N, )``."""
        if isinstance(target, Tensor):
            return attention_distance(target, source, self.p)
        return sum(attention_distance(t, s, self.p) for t, s in zip(target, source))


@MODELS.register_module()
class RelationTransfer(Transfer):
    """Relations between the samples of a batch, as student and teacher see them.

    'similarity' is SP (Tung & Mori, ICCV 2019); 'distance' and 'angle' are the two parts of RKD (Park et al., CVPR 2019).

    Args:
        relation (str): 'similarity', 'distance' or 'angle', from :mod:`mmkd_plugin.functional`.
        **arrow: See :class:`Transfer`.

    Raises:
        ValueError: The relation is unknown.
    """

    def __init__(self, relation: str, **arrow) -> None:
        super().__init__(**arrow)
        if relation not in RELATIONS:
            raise ValueError(f'relation must be one of {", ".join(RELATIONS)}, got {relation!r}')
        self.relation = RELATIONS[relation]

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Any shape will do: only samples are compared."""
        return target

    def distance(self, target: Tensor, source: Tensor, labels: Tensor) -> Tensor:
        """``(N, ...)``, ``(N, ...)`` to ``(N, )``."""
        return self.relation(target, source)
