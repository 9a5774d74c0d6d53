"""Transfer: one arrow from taps of some networks to a tap of another, and the one number that it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmkd_plugin.engine import build_schedule
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Address, Shape, Taps, shape_of

from ..connectors import build_connector

__all__ = ['Transfer']

Feature = Tensor | tuple[Tensor, ...]


class Transfer(nn.Module):
    """One arrow: weight(progress) · mean over samples of Σ_t w_tn · distance(target, source_t).

    Teacher weighting, connectors, schedule and reduction live here; a subclass says only how far target and source are apart.

    Args:
        source (str | list[str]): Address of the knowledge, or one address for each of several networks. No gradient goes there.
        target (str): Address of the feature or answer that learns.
        weight (float | dict): λ, or a schedule of it.
        weighting (dict, optional): Weight of each source per sample; uniform by default.
        connector (dict | list[dict], optional): Chain from the target's shape to the source's, one for each source.

    Raises:
        ValueError: An address is malformed, or two sources are of one network.
    """

    def __init__(
        self,
        source: str | Sequence[str],
        target: str,
        weight: float | dict = 1.0,
        weighting: dict | None = None,
        connector: dict | Sequence[dict] | None = None,
    ) -> None:
        super().__init__()
        self.sources = tuple(Address.parse(s) for s in ([source] if isinstance(source, str) else source))
        self.target = Address.parse(target)
        self.names = tuple(address.node for address in self.sources)
        if not self.names or len(set(self.names)) < len(self.names):
            raise ValueError(f'an arrow comes from one tap of each of its networks, got {[str(s) for s in self.sources]}')
        self.schedule = build_schedule(weight)
        self.weighting = MODELS.build(weighting or dict(type='Uniform'), default_args=dict(names=self.names))
        self.connector_cfg = connector
        self.connectors = nn.ModuleDict()

    def bind(self, taps: Mapping[str, Taps]) -> None:
        """Look the addresses up among probed taps, and size the connectors.

        Args:
            taps (Mapping): ``{network name: Taps}`` of one sample.

        Raises:
            KeyError: There is no such network.
            ValueError: There is no such tap, or target and source cannot be brought together.
        """
        target = shape_of(self.target.read(taps))
        for source in self.sources:
            goal = self.goal(target, shape_of(source.read(taps)))
            try:
                self.connectors[source.node] = build_connector(self.connector_cfg, target, goal)
            except ValueError as error:
                raise ValueError(f"'{source}' to '{self.target}': {error}") from error

    def forward(self, taps: Mapping[str, Taps], labels: Tensor, weight: float) -> Tensor:
        """The arrow's term of the objective.

        Args:
            taps (Mapping): ``{network name: Taps}``, with at least the networks of this arrow.
            labels (Tensor): ``(N, )``.
            weight (float): What :attr:`schedule` says now.

        Returns:
            Tensor: A scalar.
        """
        target = self.target.read(taps)
        weights = self.weighting([taps[name].logits for name in self.names], labels)  # (T, N)
        targets = [self.connectors[source.node](target) for source in self.sources]
        sources = [_detach(source.read(taps)) for source in self.sources]
        return weight * self.combine(targets, sources, weights, labels).mean()

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Shape that the connectors must reach: the source's, unless the distance compares other shapes too."""
        return source

    def combine(self, targets: list, sources: list, weights: Tensor, labels: Tensor) -> Tensor:
        """Σ_t w_tn · distance_tn.

        Args:
            targets (list): What the connectors made of the target, for each source.
            sources (list): The knowledge of each source.
            weights (Tensor): ``(T, N)``.
            labels (Tensor): ``(N, )``.

        Returns:
            Tensor: ``(N, )``.
        """
        distances = torch.stack([self.distance(t, s, labels) for t, s in zip(targets, sources)])  # (T, N)
        return (weights * distances).sum(0)

    def distance(self, target: Feature, source: Feature, labels: Tensor) -> Tensor:
        """How far target and source are apart, per sample.

        Args:
            target (Tensor | tuple[Tensor, ...]): What the connectors made of the target.
            source (Tensor | tuple[Tensor, ...]): The knowledge.
            labels (Tensor): ``(N, )``.

        Returns:
            Tensor: ``(N, )``.
        """
        raise NotImplementedError(f'{type(self).__name__} does not say how far target and source are apart')


def _detach(feature: Feature) -> Feature:
    return feature.detach() if isinstance(feature, Tensor) else tuple(f.detach() for f in feature)
