"""Taps: outputs of one forward pass of a network that transfers read, and addresses that name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from .fields import suggest, unknown_name

TAP_NAMES = ('stages', 'embedding', 'logits', 'cam', 'attention')

# The shape of one sample, or one such shape per stage; users know which, mypy cannot.
Shape: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Taps:
    """Outputs of a network from one run of backbone, neck and head.

    Attributes:
        stages (tuple[Tensor, ...]): Feature of each stage, shallow to deep, each ``(N, C, *S)``.
        embedding (Tensor): Input of the classifier, ``(N, C)``.
        logits (Tensor): Logits, ``(N, K)``.
        classifier_weight (Tensor, optional): ``(K, C)``, where the classifier is global average pooling and one linear layer,
            so that class activation maps are exact.
        attention (Tensor, optional): Attention map of a network that has one.
        classifier_bias (Tensor, optional): Bias of the classifier, ``(K, )``.
        head (str): Kind of the classifier, for messages.
        present (Tensor, optional): Whether each sample has the stream that the network reads, ``(N, )`` boolean; None for all.
    """

    stages: tuple[Tensor, ...]
    embedding: Tensor
    logits: Tensor
    classifier_weight: Tensor | None = None
    attention: Tensor | None = None
    classifier_bias: Tensor | None = None
    head: str = 'unknown'
    present: Tensor | None = None

    @property
    def cam(self) -> Tensor | None:
        """Class activation maps ``(N, K, *S)``: the linear classifier applied at every position of the last stage.

        Zhou et al., CVPR 2016, section 2. Without the bias, which belongs to no position. A stage that the backbone has pooled
        has no positions, and so no maps.
        """
        if self.classifier_weight is None or self.stages[-1].dim() < 3:
            return None
        return torch.einsum('kc,nc...->nk...', self.classifier_weight, self.stages[-1])

    def names(self) -> list[str]:
        """Return the names of the outputs that the network has, as 'stages.0' and 'logits'."""
        stages = [f'stages.{level}' for level, stage in enumerate(self.stages) if stage is not None]
        return stages + [tap for tap in ('embedding', 'logits', 'attention') if getattr(self, tap) is not None]

    def classify(self, feature: Tensor) -> Tensor:
        """Return the logits of this network's classifier for another network's feature.

        Args:
            feature (Tensor): ``(N, C, *S)``, which is pooled, or ``(N, C)``.

        Returns:
            Tensor: Logits, ``(N, K)``.

        Raises:
            ValueError: The classifier is not global average pooling and one linear layer, or reads another number of channels.
        """
        if self.classifier_weight is None or feature.shape[1] != self.classifier_weight.shape[1]:
            expected = (
                'global average pooling and one linear layer'
                if self.classifier_weight is None
                else f'{self.classifier_weight.shape[1]} channels'
            )
            raise ValueError(f'the classifier {self.head} cannot read {tuple(feature.shape[1:])}: expected {expected}')
        return F.linear(
            feature.flatten(2).mean(2) if feature.dim() > 2 else feature, self.classifier_weight, self.classifier_bias
        )


def shape_of(feature: Tensor | tuple[Tensor, ...]) -> Shape:
    """Return the shape of one sample: a feature's without its first axis, or a tuple of such shapes for a tuple of features."""
    if isinstance(feature, Tensor):
        return tuple(feature.shape[1:])
    return tuple(shape_of(level) for level in feature)


@dataclass(frozen=True)
class Address:
    """The name of a tap: ``'gaf.logits'``, ``'student.stages'``, ``'student.stages.2'``.

    Attributes:
        node (str): Name of a network.
        tap (str): One of :data:`TAP_NAMES`.
        index (int, optional): Index of the stage, from the shallowest; None stands for all stages.
    """

    node: str
    tap: str
    index: int | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address from a config.

        Raises:
            ValueError: The text is not of the form ``'<network>.<tap>'`` or ``'<network>.stages.<index>'``.
        """
        node, _, rest = str(text).partition('.')
        tap, _, index = rest.partition('.')
        if tap not in TAP_NAMES or (index and (tap != 'stages' or not index.isdecimal())):
            question = suggest(tap, TAP_NAMES) if tap not in TAP_NAMES else ''
            raise ValueError(
                f"'{text}' is not an address: expected '<network>.<tap>' with a tap out of {', '.join(TAP_NAMES)}, "
                f"or '<network>.stages.<index>'{'; ' if question else ''}{question}"
            )
        return cls(node, tap, int(index) if index else None)

    def __str__(self) -> str:
        return f'{self.node}.{self.tap}' + ('' if self.index is None else f'.{self.index}')

    def read(self, taps: Mapping[str, Taps]) -> Tensor | tuple[Tensor, ...]:
        """Return the feature among the taps of all networks.

        Args:
            taps (Mapping): ``{network name: Taps}``.

        Returns:
            Tensor | tuple[Tensor, ...]: The feature; all stages where the address has no index.

        Raises:
            ValueError: There is no such network, or the network has no such tap or stage.
        """
        if self.node not in taps:
            raise ValueError(f"address '{self}': {unknown_name('network', self.node, sorted(taps))}")
        feature = getattr(taps[self.node], self.tap)
        absent = self._absent(feature)
        if absent:
            reason = f'its outputs are {", ".join(taps[self.node].names())}'
            if self.tap == 'cam':
                reason = f'its classifier is {taps[self.node].head}, not global average pooling and one linear layer'
            raise ValueError(f"address '{self}': network '{self.node}' offers no {absent}: {reason}")
        if self.index is None:
            return feature
        if self.index >= len(feature):
            raise ValueError(
                f"address '{self}': network '{self.node}' has {len(feature)} stages, so the index goes from 0 to "
                f'{len(feature) - 1}. A backbone of mmpretrain returns the stages that its out_indices name'
            )
        return feature[self.index]

    def _absent(self, feature: Tensor | tuple[Tensor | None, ...] | None) -> str:
        """Return the name of what is not there; a file of outputs may have some stages alone."""
        if feature is None or isinstance(feature, Tensor) or not feature:
            return '' if isinstance(feature, Tensor) else self.tap
        levels = [level for level, stage in enumerate(feature) if stage is None and self.index in (None, level)]
        return f'{self.tap}.{levels[0]}' if levels else ''
