"""Chains of connectors from a student's feature to one of the teacher's shape, sized from the networks themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS, build_checked, find_type
from mmkd_plugin.structures import Shape

__all__ = ['Chain', 'Connector', 'PerStage', 'build_connector', 'has_stages']


class Connector(nn.Module):
    """Link between a student's feature and one of the teacher's shape.

    Args:
        in_shape (tuple): Shape of one incoming sample, ``(C, *S)``; for a connector with :attr:`takes_stages`, one per stage.
        goal (tuple): Shape of the teacher's feature, likewise. A link may leave a part of the way to the next one.
    """

    # Whether the connector reads the features of all stages at once; others are applied stage by stage.
    takes_stages = False

    def __init__(self, in_shape: Shape, goal: Shape) -> None:
        super().__init__()
        self.in_shape, self.goal = in_shape, goal


def has_stages(shape: Shape) -> bool:
    """Return whether a shape is that of several stages rather than of a single feature."""
    return bool(shape) and isinstance(shape[0], tuple)


class PerStage(Connector):
    """One connector of the same kind for every stage.

    Args:
        cfg (dict): Config of the connector.
        in_shape (tuple): Shape of each stage's feature.
        goal (tuple): Shape of each stage's goal.
    """

    takes_stages = True

    def __init__(self, cfg: dict, in_shape: Shape, goal: Shape) -> None:
        super().__init__(in_shape, goal)
        self.links = nn.ModuleList(build_checked(cfg, MODELS, 'connector', in_shape=i, goal=g) for i, g in zip(in_shape, goal))

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Map one feature per stage to one feature per stage."""
        return tuple(link(feature) for link, feature in zip(self.links, features))


class Chain(nn.Sequential):
    """Connectors in sequence; an empty chain is the identity."""


def build_connector(cfgs: dict | Sequence[dict] | None, in_shape: Shape, goal: Shape) -> Chain:
    """Build a chain of connectors, each sized from the output of the one before it.

    Args:
        cfgs (dict | list[dict], optional): Config of one connector or of several, in order.
        in_shape (tuple): Shape of one student sample, ``(C, *S)``, or one such shape per stage.
        goal (tuple): Shape of the teacher's feature, likewise.

    Returns:
        Chain: Maps the student's feature to one of the goal's shape.

    Raises:
        ValueError: The numbers of stages differ, a connector does not take an argument, or the chain ends at another shape
            than the goal.
    """
    if has_stages(in_shape) != has_stages(goal) or (has_stages(goal) and len(in_shape) != len(goal)):
        raise ValueError(
            f'cannot be paired: {_spell(in_shape)} with {_spell(goal)}; name single stages, or as many on both sides'
        )
    links, shape = [], in_shape
    chain: Sequence = () if cfgs is None else cfgs if isinstance(cfgs, (list, tuple)) else [cfgs]
    for cfg in chain:
        takes_stages = isinstance(cfg, Mapping) and getattr(find_type(MODELS, cfg.get('type')), 'takes_stages', False)
        if has_stages(shape) and not takes_stages:
            link = PerStage(cfg, shape, goal)
        else:
            link = build_checked(cfg, MODELS, 'connector', in_shape=shape, goal=goal)
        links.append(link)
        shape = _probe(link, shape)
    if shape != goal:
        way = ' -> '.join(str(cfg['type']) for cfg in chain) or 'no connector'
        raise ValueError(f'the student gives {_spell(in_shape)} and {way} ends at {_spell(shape)}, expected {_spell(goal)}')
    return Chain(*links)


@torch.no_grad()
def _probe(link: nn.Module, shape: Shape) -> Shape:
    """Return the shape of a link's output for one sample of zeros."""
    training = link.training
    link.eval()  # batch norm refuses a single value in training
    zeros = tuple(torch.zeros(1, *s) for s in shape) if has_stages(shape) else torch.zeros(1, *shape)
    out = link(zeros)
    link.train(training)
    return tuple(tuple(o.shape[1:]) for o in out) if isinstance(out, tuple) else tuple(out.shape[1:])


def _spell(shape: Shape) -> str:
    return f'{len(shape)} stages {list(shape)}' if has_stages(shape) else str(shape)
