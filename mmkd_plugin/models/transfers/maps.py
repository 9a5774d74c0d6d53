"""Knowledge in maps: the evidence of the teachers for a class."""

from __future__ import annotations

import torch
from torch import Tensor

from mmkd_plugin.functional import (
    activation_map_distance,
    interpolate,
    joint_evidence,
    squared_error,
    temporal_attention,
    temporal_evidence,
    time_marginal,
)
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Shape

from .base import Transfer

__all__ = ['ActivationMapTransfer', 'EvidenceTransfer']


@MODELS.register_module()
class ActivationMapTransfer(Transfer):
    """Class activation maps at the smaller of the two sizes: CAM-KD, and CAT-KD (Guo et al., CVPR 2023) as a setting.

    Source and target are ``cam`` taps, both over time or both over an image.

    Args:
        classes (str): 'target' compares the map of the sample's own class, 'all' every map.
        normalize (bool): L2-normalise every map.
        size (int, optional): Pool to this many cells per axis; CAT-KD takes 2.
        **transfer: See :class:`Transfer`.

    Raises:
        ValueError: ``classes`` is unknown, or maps over time and over an image are paired.
    """

    def __init__(self, classes: str = 'target', normalize: bool = False, size: int | None = None, **transfer) -> None:
        super().__init__(**transfer)
        if classes not in ('target', 'all'):
            raise ValueError(f"classes must be 'target' or 'all', got {classes!r}")
        self.classes, self.normalize, self.size = classes, normalize, size

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Return the target's shape: maps of other sizes are compared too, but not of another number of axes."""
        if len(target) != len(source) or target[0] != source[0]:
            raise ValueError(
                f'activation maps of shapes {target} and {source} cannot be compared: (K, T) or (K, H, W) on both sides'
            )
        return target

    def distance(self, target: Tensor, source: Tensor, labels: Tensor) -> Tensor:
        """Return the distance of maps ``(N, K, *S)`` and ``(N, K, *S')`` for labels ``(N, )``, ``(N, )``."""
        chosen = labels if self.classes == 'target' else None
        return activation_map_distance(target, source, chosen, self.size, self.normalize)


@MODELS.register_module()
class EvidenceTransfer(Transfer):
    """Evidence-based distillation: the student's cross attention approaches the joint evidence of two teachers.

    The signal teacher gives the times (its attention over time), the image teacher the positions (its activation map for the
    sample's class). 'outer' compares the whole map with their product; 'time' compares the map's share of each time with the
    mean of both. A softmax over keys leaves nothing to compare per query, so 'time' takes the mean over queries, and each key,
    a pixel (i, j), counts for the times i and j.

    Args:
        fusion (str): 'outer' or 'time'.
        p (float): See :func:`~mmkd_plugin.functional.temporal_attention`.
        normalize (str): 'l1' or 'softmax', likewise.
        **transfer: See :class:`Transfer`. ``source`` is two addresses, a stage over time and an activation map; ``target`` is
            an ``attention`` tap. A weighting or a connector is refused.

    Raises:
        ValueError: ``fusion`` is unknown, a weighting or connector is given, or the taps are of other shapes.
    """

    def __init__(self, fusion: str = 'outer', p: float = 2.0, normalize: str = 'l1', **transfer) -> None:
        super().__init__(**transfer)
        if fusion not in ('outer', 'time'):
            raise ValueError(f"fusion must be 'outer' or 'time', got {fusion!r}")
        if transfer.get('weighting') or transfer.get('connector') or len(self.sources) != 2:
            raise ValueError('evidence is that of two sources at once: it takes two addresses, no weighting and no connector')
        self.fusion, self.p, self.normalize = fusion, p, normalize

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Return the attention map's shape; a source is a stage over time or a map over an image."""
        if len(target) != 3 or len(source) not in (2, 3):
            raise ValueError(f'evidence is (C, T) and (K, H, W) for an attention (T, H, W), got {source} for {target}')
        return target

    def combine(
        self, targets: list[Tensor], sources: list[Tensor], weights: Tensor, labels: Tensor, present: Tensor | None = None
    ) -> Tensor:
        """Return the distance of an attention ``(N, T, H, W)`` from ``(N, C, T')`` and ``(N, K, H', W')``, ``(N, )``."""
        attention = targets[0]
        stage, cam = sources
        if stage.dim() != 3 or cam.dim() != 4:
            raise ValueError(f'source must be a stage over time, then an activation map; got {stage.shape} and {cam.shape}')
        steps, height, width = attention.shape[1:]
        when = temporal_attention(_pool(stage, [steps]), self.p, self.normalize)  # (N, T)
        where = cam[torch.arange(len(cam), device=cam.device), labels]  # (N, H', W')
        if self.fusion == 'outer':
            values = squared_error(attention, joint_evidence(when, _pool(where[:, None], [height, width])[:, 0]))
        else:
            values = squared_error(time_marginal(attention.mean(1), steps), temporal_evidence(when, where))
        return values if present is None else values * present.all(0)  # there is no joint evidence of one teacher


def _pool(x: Tensor, size: list[int]) -> Tensor:
    """Pool ``(N, C, *S)`` to ``(N, C, *size)`` by averages; a smaller map is repeated."""
    return interpolate(x, size, 'area')
