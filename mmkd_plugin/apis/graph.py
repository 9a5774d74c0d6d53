"""The networks and transfers of a config, built without weights, with shapes and weights."""

from __future__ import annotations

import dataclasses
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd_plugin.engine import evaluating
from mmkd_plugin.models.connectors import PerStage
from mmkd_plugin.models.distillers import Distiller, LazyTaps
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Taps, shape_of
from mmkd_plugin.visualization import Graph, GraphNetwork, GraphTransfer, spell

__all__ = ['config_graph', 'describe_chain']


def config_graph(cfg: Config) -> Graph:
    """Return the networks and transfers of a config; no data and no checkpoint of a teacher is needed.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.

    Raises:
        ValueError: The model cannot be built.
    """
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    preprocessor = cfg.get('data_preprocessor') or cfg.model.data_preprocessor
    model: Distiller = MODELS.build({**cfg.model, 'data_preprocessor': preprocessor})
    signal = model.data_preprocessor.zeros()
    with evaluating(model):
        views = model.data_preprocessor.make(signal, model.data_preprocessor.names)
        taps = LazyTaps(model, views)
        networks = [_network(model, name, taps[name], views) for name in [*model.teachers, *model.learners]]
        transfers = [_transfer(name, transfer, taps) for name, transfer in model.transfers.items()]
    return Graph(tuple(networks), tuple(transfers))


def describe_chain(chain: Any) -> str:
    """Return the links of a connector with the number of their parameters; empty where the target stays as it is."""
    names = [type(link.links[0] if isinstance(link, PerStage) else link).__name__ for link in chain]
    links = ' -> '.join(f'{name} per stage' if isinstance(link, PerStage) else name for name, link in zip(names, chain))
    return f'{links}, {sum(p.numel() for p in chain.parameters()):,} parameters' if links else ''


def _network(model: Distiller, name: str, taps: Taps, views: dict) -> GraphNetwork:
    network = model.teachers[name] if name in model.teachers else model.learners[name]
    role = 'teacher' if name in model.teachers else 'student' if name == model.deployed else 'learner'
    branches, view = model.reads.get(name), model.views.get(name)
    reads = ' and '.join(branches) if branches else f'{view}  {spell(views[view].shape[1:])}'
    shapes = [(f'stages.{index}', tuple(stage.shape[1:])) for index, stage in enumerate(taps.stages)]
    shapes += [
        (tap, shape_of(getattr(taps, tap)))
        for tap in ('embedding', 'logits', 'cam', 'attention')
        if getattr(taps, tap) is not None
    ]
    kind = type(getattr(network, 'backbone', network)).__name__
    params = sum(parameter.numel() for parameter in network.parameters())
    return GraphNetwork(name, role, reads, kind, params, tuple(shapes), model.ce_weights.get(name))


def _transfer(name: str, transfer: Any, taps: LazyTaps) -> GraphTransfer:
    schedule = transfer.schedule
    weight = f'{schedule.value:g}' if type(schedule).__name__ == 'Constant' else _spell_schedule(schedule)
    return GraphTransfer(
        name,
        type(transfer).__name__,
        tuple((str(source), _spell_feature(source.read(taps))) for source in transfer.sources),
        (str(transfer.target), _spell_feature(transfer.target.read(taps))),
        weight,
        type(transfer.weighting).__name__ if len(transfer.sources) > 1 else '',
        tuple(describe_chain(transfer.connectors[source.node]) for source in transfer.sources),
    )


def _spell_schedule(schedule: Any) -> str:
    fields = ', '.join(f'{field.name}={getattr(schedule, field.name)}' for field in dataclasses.fields(schedule))
    return f'{type(schedule).__name__}({fields})'


def _spell_feature(feature: Any) -> str:
    shape = shape_of(feature)
    return ', '.join(spell(each) for each in shape) if shape and isinstance(shape[0], tuple) else spell(shape)
