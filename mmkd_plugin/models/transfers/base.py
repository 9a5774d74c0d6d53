"""Transfer of knowledge from taps of some networks to a tap of another, as one term of the objective."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import repeat
from operator import add
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from mmkd_plugin.engine import build_schedule
from mmkd_plugin.registry import MODELS, build_checked
from mmkd_plugin.structures import Address, Shape, Taps, shape_of

from ..connectors import build_connector, has_stages

__all__ = ['Transfer', 'over_present', 'stage_sum']

# A tensor, or one per stage; a subclass says which of them its distance takes.
Feature: TypeAlias = Any


class Transfer(nn.Module):
    """Term of the objective between taps: weight(progress) · mean over samples of Σ_t w_tn · distance(target, source_t).

    Teacher weighting, connectors, schedule and reduction are here; a subclass defines only the distance of target and source.

    Args:
        source (str | list[str]): Address of the knowledge, or one address for each of several networks, without gradient.
        target (str): Address of the feature or response that learns.
        weight (float | dict): λ, or a schedule of λ.
        weighting (dict, optional): Weight of each source per sample; uniform by default.
        connector (dict | list[dict], optional): Chain from the target's shape to the source's, one for each source.
        mutual (bool): Let the gradient reach the source too, which is then a learner.
        renormalize (bool): For a window that lacks the stream which a source reads, so that the source has no weight: let the
            others' weights sum to what they would with it. By default they stay as they are.

    Raises:
        ValueError: An address is malformed, two sources are of one network, or the weight or the weighting is wrong.
    """

    # Whether the transfer keeps a memory bank of the training samples; it then has a method remember(labels).
    has_memory_bank = False

    def __init__(
        self,
        source: str | Sequence[str],
        target: str,
        weight: float | dict = 1.0,
        weighting: dict | None = None,
        connector: dict | Sequence[dict] | None = None,
        mutual: bool = False,
        renormalize: bool = False,
    ) -> None:
        super().__init__()
        self.sources = tuple(Address.parse(s) for s in ([source] if isinstance(source, str) else source))
        self.target = Address.parse(target)
        self.names = tuple(address.node for address in self.sources)
        if not self.names or len(set(self.names)) < len(self.names):
            raise ValueError(f'a transfer comes from one tap of each of its networks, got {[str(s) for s in self.sources]}')
        self.schedule = build_schedule(weight)
        self.weighting = build_checked(weighting or dict(type='Uniform'), MODELS, 'weighting', names=self.names)
        self.connector_cfg, self.mutual, self.renormalize = connector, mutual, renormalize
        self.connectors = nn.ModuleDict()
        if self.weighted_by == 'gradients' and (self.target.tap != 'logits' or type(self).distance is Transfer.distance):
            raise ValueError(
                f'{type(self.weighting).__name__} weighs by gradients of distances at logits; {type(self).__name__} to '
                f"'{self.target}' has none"
            )

    @property
    def weighted_by(self) -> str:
        """What weighs: logits of the 'teacher', its classifier on the 'student''s feature, 'gradients', or all 'responses'."""
        return getattr(self.weighting, 'of', 'teacher')

    @property
    def judges_student(self) -> bool:
        """Whether the weights come from the teachers' classifiers on the student's feature."""
        return self.weighted_by == 'student'

    def bind(self, taps: Mapping[str, Taps]) -> None:
        """Look the addresses up among probed taps, and size the connectors.

        Args:
            taps (Mapping): ``{network name: Taps}`` of one sample.

        Raises:
            ValueError: There is no such network or tap, target and source cannot be brought together, or the weighting does not
                fit the classes.
        """
        target = shape_of(self.target.read(taps))
        for source in self.sources:
            shape = shape_of(source.read(taps))
            self._check_stages(source, len(shape) if has_stages(shape) else 0, len(target) if has_stages(target) else 0)
            goal = self.goal(target, shape)
            try:
                self.connectors[source.node] = build_connector(self.connector_cfg, target, goal)
                if self.judges_student:
                    taps[source.node].classify(torch.zeros(1, *goal))  # an error of shapes belongs here
            except ValueError as error:
                raise ValueError(f"'{source}' to '{self.target}': {error}") from error
        if hasattr(self.weighting, 'bind'):
            self.weighting.bind([taps[name].logits.shape[1] for name in (*self.names, self.target.node)])

    def _check_stages(self, source: Address, given: int, taken: int) -> None:
        """Refuse all stages of two networks that have different numbers of them, and name those of the same relative depth."""
        if not given or not taken or given == taken:
            return
        fewer = min(given, taken)
        depths = [index / (fewer - 1) if fewer > 1 else 1.0 for index in range(fewer)]
        pairs = [f"'{source}.{round(d * (given - 1))}' to '{self.target}.{round(d * (taken - 1))}'" for d in depths]
        raise ValueError(
            f"'{source}' are {given} stages and '{self.target}' are {taken}; name single stages, one transfer for each pair: "
            f'{", ".join(pairs)}'
        )

    def forward(self, taps: Mapping[str, Taps], labels: Tensor, weight: float, index: Tensor | None = None) -> Tensor:
        """Return the transfer's term of the objective.

        Args:
            taps (Mapping): ``{network name: Taps}``, with at least the networks of this transfer.
            labels (Tensor): ``(N, )``.
            weight (float): Current value of :attr:`schedule`.
            index (Tensor, optional): Index of each sample in the training set, ``(N, )``, for transfers with a memory bank.

        Returns:
            Tensor: A scalar.
        """
        return weight * self.per_sample(taps, labels, index).mean()

    def per_sample(self, taps: Mapping[str, Taps], labels: Tensor, index: Tensor | None = None) -> Tensor:
        """Return the weighted distances of the samples, without the transfer's weight and mean, ``(N, )``."""
        targets, sources = self.read(taps)
        present = self.present(taps)
        values = self.combine(targets, sources, self.weights(taps, targets, labels), labels, present)
        return values if present is None else values * present.any(0)

    def present(self, taps: Mapping[str, Taps]) -> Tensor | None:
        """Return which samples have the stream that each source reads, ``(T, N)`` boolean; None where all have."""
        masks = [taps[name].present for name in self.names]
        known = next((mask for mask in masks if mask is not None), None)
        return None if known is None else torch.stack([torch.ones_like(known) if m is None else m for m in masks])

    def read(self, taps: Mapping[str, Taps]) -> tuple[list, list]:
        """Return the connected target and the knowledge, one of each for every source."""
        target = self.target.read(taps)
        targets = [self.connectors[source.node](target) for source in self.sources]
        sources = [source.read(taps) if self.mutual else _detach(source.read(taps)) for source in self.sources]
        return targets, sources

    def weights(self, taps: Mapping[str, Taps], targets: list, labels: Tensor) -> Tensor:
        """Return the weight of each source per sample, ``(T, N)``."""
        weights, present = self.weighting(self._judged(taps, targets, labels), labels), self.present(taps)
        if present is None:
            return weights
        kept = weights * present
        if not self.renormalize:
            return kept
        total = kept.sum(0)
        return kept * (weights.sum(0) / total.clamp_min(torch.finfo(total.dtype).tiny))

    def _judged(self, taps: Mapping[str, Taps], targets: list, labels: Tensor) -> list[Tensor]:
        """Return what the weighting reads, ``(N, K)`` for each source."""
        if self.judges_student:
            return [taps[name].classify(target) for name, target in zip(self.names, targets)]
        if self.weighted_by == 'gradients':
            return self.gradients(taps, labels)
        student = [self.target.node] if self.weighted_by == 'responses' else []
        return [taps[name].logits for name in (*self.names, *student)]

    def gradients(self, taps: Mapping[str, Taps], labels: Tensor) -> list[Tensor]:
        """Return the gradient of each source's distances, summed over the samples, at the target's logits, ``(N, K)`` each."""
        node = self.target.node
        with torch.enable_grad():  # a log and a score ask for weights without gradients
            logits = taps[node].logits.detach()
            logits = logits.to(torch.promote_types(logits.dtype, torch.float32)).requires_grad_()
            targets, sources = self.read(ChainMap({node: replace(taps[node], logits=logits)}, taps))  # type: ignore[arg-type]
            sums = [each.sum() for each in self._distances(repeat(self.distance), targets, sources, self.present(taps), labels)]
            return [torch.autograd.grad(each, logits)[0] for each in sums]

    def mean_weights(self, taps: Mapping[str, Taps], labels: Tensor) -> dict[str, Tensor]:
        """Return the mean weight of each source over a batch, for the log.

        Args:
            taps (Mapping): ``{network name: Taps}``.
            labels (Tensor): ``(N, )``.

        Returns:
            dict[str, Tensor]: By the names of the sources. Empty where weights are constant, and where they come from the
            student's feature, which would have to go through the connectors once more.
        """
        if len(self.names) < 2 or getattr(self.weighting, 'constant', False) or self.judges_student:
            return {}
        with torch.no_grad():
            return dict(zip(self.names, self.weights(taps, [], labels).mean(1)))

    def goal(self, target: Shape, source: Shape) -> Shape:
        """Return the shape that the connectors must reach: the source's, unless the distance compares other shapes too."""
        return source

    def combine(self, targets: list, sources: list, weights: Tensor, labels: Tensor, present: Tensor | None = None) -> Tensor:
        """Return Σ_t w_tn · distance_tn.

        Args:
            targets (list): Connected target for each source.
            sources (list): Knowledge of each source.
            weights (Tensor): ``(T, N)``.
            labels (Tensor): ``(N, )``.
            present (Tensor, optional): ``(T, N)``, see :meth:`present`; a distance relates samples that have its source alone.

        Returns:
            Tensor: ``(N, )``.
        """
        return (weights * torch.stack(self._distances(repeat(self.distance), targets, sources, present, labels))).sum(0)

    def _distances(
        self,
        functions: Iterable[Callable[..., Tensor]],
        targets: list,
        sources: list,
        present: Tensor | None,
        *others: Tensor,
    ) -> list[Tensor]:
        """Return the distance of every source from its target, by a function for each source, ``(N, )`` each."""
        masks = repeat(None) if present is None else present
        pairs = zip(functions, masks, targets, sources)
        return [over_present(function, mask, target, source, *others) for function, mask, target, source in pairs]

    def distance(self, target: Feature, source: Feature, labels: Tensor) -> Tensor:
        """Return the distance of target and source, per sample.

        Args:
            target (Tensor | tuple[Tensor, ...]): Connected target.
            source (Tensor | tuple[Tensor, ...]): Knowledge.
            labels (Tensor): ``(N, )``.

        Returns:
            Tensor: ``(N, )``.
        """
        raise NotImplementedError(f'{type(self).__name__} defines no distance of target and source')


def over_present(distance: Callable[..., Tensor], present: Tensor | None, *features: Feature) -> Tensor:
    """Return a distance of the samples that are present, 0 for the others.

    Args:
        distance (Callable): Maps features of some samples to ``(n, )``.
        present (Tensor, optional): ``(N, )`` boolean; None for all samples.
        *features (Tensor | tuple[Tensor, ...]): Of all samples, each ``(N, ...)`` or one per stage.

    Returns:
        Tensor: ``(N, )``.
    """
    if present is None or bool(present.all()):
        return distance(*features)
    rows = torch.nonzero(present).flatten()
    if not len(rows):
        first = features[0] if isinstance(features[0], Tensor) else features[0][0]
        return 0 * first.flatten(1).sum(1)  # of the graph, for processes that wait for every gradient
    chosen = [f[rows] if isinstance(f, Tensor) else tuple(level[rows] for level in f) for f in features]
    values = distance(*chosen)
    return values.new_zeros(len(present)).index_copy(0, rows, values)


def stage_sum(distance: Callable[[Tensor, Tensor], Tensor], target: Feature, source: Feature) -> Tensor:
    """Return the distance of two features, or the sum of the distances stage by stage.

    Args:
        distance (Callable): Maps two features to ``(N, )``.
        target (Tensor | tuple[Tensor, ...]): A feature, or one per stage.
        source (Tensor | tuple[Tensor, ...]): Likewise.

    Returns:
        Tensor: ``(N, )``.
    """
    pair = [(x,) if isinstance(x, Tensor) else x for x in (target, source)]
    return reduce(add, map(distance, *pair))


def _detach(feature: Feature) -> Feature:
    return feature.detach() if isinstance(feature, Tensor) else tuple(f.detach() for f in feature)
