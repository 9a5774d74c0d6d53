"""Fusion of a multi-branch student: cross attention from signal to image tokens, then the signal branch's classifier."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Taps

__all__ = ['CrossAttentionFusion']


@MODELS.register_module()
class CrossAttentionFusion(BaseModule):
    """Cross attention from a signal branch to an image branch, added to the signal's tokens.

    The branches are learners themselves, so that the signal branch also predicts alone. Both predictions come from its one
    classifier, which reads the pooled signal tokens with the attended image tokens here, and without them there. ``attention``
    is the map that evidence is compared with: for every signal token a distribution over the image's positions,
    averaged over heads.

    Args:
        in_shapes (Sequence[tuple]): Shape of the branches' last stages, ``(C, T)`` and ``(C', H, W)``.
        heads (int): Attention heads; C must be a multiple.
        init_cfg (dict, optional): See mmengine's BaseModule.

    Raises:
        ValueError: The branches have other shapes, or the heads do not divide the channels.
    """

    def __init__(self, in_shapes: Sequence[tuple[int, ...]], heads: int = 4, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if [len(shape) for shape in in_shapes] != [2, 3]:
            raise ValueError(
                f'CrossAttentionFusion reads a signal branch (C, T) and an image branch (C, H, W), got {in_shapes}'
            )
        (channels, _), (image_channels, *_) = in_shapes
        if channels % heads:
            raise ValueError(f'the {channels} channels of the signal branch are not a multiple of {heads} heads')
        self.heads = heads
        self.signal_norm, self.image_norm = nn.LayerNorm(channels), nn.LayerNorm(image_channels)
        self.query = nn.Linear(channels, channels, bias=False)
        # No bias: it would shift all scores of a query alike, which leaves a softmax unchanged.
        self.key = nn.Linear(image_channels, channels, bias=False)
        self.value = nn.Linear(image_channels, channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, signal: Taps, image: Taps) -> Taps:
        """Return the taps of the fused prediction.

        Args:
            signal (Taps): With a last stage ``(N, C, T)``.
            image (Taps): With a last stage ``(N, C', H, W)``.

        Returns:
            Taps: ``stages`` holds the fused tokens ``(N, C, T)``, ``attention`` is ``(N, T, H, W)``.
        """
        tokens, image_map = signal.stages[-1], image.stages[-1]
        queries = self.signal_norm(tokens.transpose(1, 2))  # (N, T, C)
        keys = self.image_norm(image_map.flatten(2).transpose(1, 2))  # (N, H·W, C')
        q, k, v = (self._split(x) for x in (self.query(queries), self.key(keys), self.value(keys)))
        attention = (q @ k.transpose(2, 3) / q.shape[3] ** 0.5).softmax(3)  # (N, G, T, H·W)
        attended = (attention @ v).transpose(1, 2).flatten(2)  # (N, T, C)
        fused = tokens + self.out(attended).transpose(1, 2)  # (N, C, T)
        pooled = fused.mean(2)  # (N, C)
        maps = attention.mean(1).unflatten(2, image_map.shape[2:])  # (N, T, H, W)
        return Taps(
            (fused,),
            pooled,
            signal.classify(pooled),
            signal.classifier_weight,
            maps,
            classifier_bias=signal.classifier_bias,
            head=signal.head,
        )

    def _split(self, x: Tensor) -> Tensor:
        """Split ``(N, L, C)`` into heads, ``(N, G, L, C / G)``."""
        return torch.unflatten(x, 2, (self.heads, -1)).transpose(1, 2)
