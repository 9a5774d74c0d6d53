"""Faults of a distiller's config, all of them, found without building a network."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from typing import Any

from mmkd_plugin.fileio import deployed_learner
from mmkd_plugin.registry import MODELS, argument_faults, build_checked, find_type
from mmkd_plugin.structures import field_faults, unknown_name

from ..transfers import Transfer
from ..views import view_faults
from .network import Network
from .nodes import Learner, Teacher
from .phases import Phase, Phases

__all__ = ['distiller_faults', 'given', 'model_faults']

# What a network gives its parts where their configs do not.
PARTS = {'backbone': (), 'projector': ('in_shape', 'goal'), 'neck': (), 'head': ('num_classes', 'in_channels')}


def given(entries: Mapping | None) -> dict:
    """Return the entries of a config without those that a child config has set to None."""
    return {name: cfg for name, cfg in (entries or {}).items() if cfg is not None}


def model_faults(model: Mapping) -> list[str]:
    """List everything that is wrong with the model of a config, a distiller of any class.

    Args:
        model (Mapping): ``cfg.model`` with its ``data_preprocessor``.

    Returns:
        list[str]: One sentence for each fault.
    """
    faults = argument_faults(model, MODELS, 'model')
    preprocessor, views = model.get('data_preprocessor'), {}
    if preprocessor is not None:
        faults += argument_faults(preprocessor, MODELS, 'data_preprocessor')
        if isinstance(preprocessor, Mapping):
            views = given(preprocessor.get('views'))
            faults += view_faults(preprocessor)
    entries = {key: model.get(key) for key in ('learners', 'deployed', 'teachers', 'transfers', 'phases')}
    return faults + distiller_faults(**entries, views=list(dict.fromkeys(['sig', *views])))


def distiller_faults(
    learners: Mapping | None,
    deployed: str | None = None,
    teachers: Mapping | None = None,
    transfers: Mapping | None = None,
    phases: Mapping | None = None,
    views: Collection[str] | None = None,
) -> list[str]:
    """List everything that is wrong with the entries of a distiller's config.

    Shapes are not looked at: they show when the networks are built.

    Args:
        learners (Mapping): As a :class:`Distiller` takes them, and so the next four.
        deployed (str, optional): Name of a learner.
        teachers (Mapping, optional): Completed by ``load_config``.
        transfers (Mapping, optional): By name.
        phases (Mapping, optional): By name.
        views (Collection[str], optional): Names of all views; without them, views are not checked.

    Returns:
        list[str]: One sentence for each fault.
    """
    learners, teachers, transfers, phases = given(learners), given(teachers), given(transfers), given(phases)
    faults = []
    try:
        deployed_learner(dict(learners=learners, deployed=deployed))
    except ValueError as error:
        faults.append(str(error))
    clash = set(learners) & set(teachers) | set(learners) & set(transfers)
    if clash:
        faults.append(f'names must differ between learners, teachers and transfers; used twice: {", ".join(sorted(clash))}')
    for kind, cls, entries in (('learner', Learner, learners), ('teacher', Teacher, teachers)):
        for name, cfg in entries.items():
            wrong = field_faults(cls, cfg, f"{kind} '{name}'")
            faults += wrong or _node_faults(name, cls(**cfg), learners, teachers, views)
    faults += _transfers_faults(transfers, learners, teachers)
    wrong = [fault for name, cfg in phases.items() for fault in field_faults(Phase, cfg, f"phase '{name}'")]
    if not wrong:
        try:
            Phases(phases, [*learners, *transfers], list(learners))
        except ValueError as error:
            wrong = [str(error)]
    return faults + wrong


def _node_faults(
    name: str, node: Learner | Teacher, learners: Mapping, teachers: Mapping, views: Collection[str] | None
) -> list[str]:
    """List the faults of a network's config and of the names that its entry refers to."""
    if isinstance(node, Teacher) and node.outputs is not None:
        return []
    where, faults = f"network '{name}'", []
    if views is not None and node.view is not None and node.view not in views:
        faults.append(f'{where}: {unknown_name("view", node.view, views)}')
    if isinstance(node, Learner):
        if node.classifier is not None and node.classifier not in teachers:
            faults.append(f"learner '{name}', classifier: {unknown_name('teacher', node.classifier, teachers)}")
        branches = [branch for branch, cfg in learners.items() if isinstance(cfg, Mapping) and not cfg.get('reads')]
        faults += [
            f"learner '{name}', reads: {unknown_name('learner', branch, branches)} with a view"
            for branch in node.reads
            if branch not in branches
        ]
        if node.reads:
            return faults + argument_faults(node.network, MODELS, where, ('in_shapes',))
    network = {'type': 'Network', **node.network}
    faults += argument_faults(network, MODELS, where, ('sample_shape', 'num_classes'))
    if find_type(MODELS, network['type']) is Network:
        for part, supplied in PARTS.items():
            cfg = network.get(part)
            if part == 'projector' and isinstance(cfg, Mapping):
                cfg = {key: value for key, value in cfg.items() if key != 'out_channels'}
            if cfg is not None:
                faults += argument_faults(cfg, MODELS, f'{where}, {part}', supplied)
    return faults


def _transfers_faults(transfers: Mapping, learners: Mapping, teachers: Mapping) -> list[str]:
    """List the faults of all transfers, and the teachers that no transfer reads."""
    faults, nodes = [], {**learners, **teachers}
    read = {str(cfg.get('classifier')) for cfg in learners.values() if isinstance(cfg, Mapping)}
    for name, cfg in transfers.items():
        where = f"transfer '{name}'"
        wrong, transfer = _transfer_faults(where, cfg)
        faults += wrong
        if transfer is None:
            continue
        read |= set(transfer.names)
        addresses = [address for address in (*transfer.sources, transfer.target) if address.node not in nodes]
        faults += [f"{where}: address '{a}': {unknown_name('network', a.node, nodes)}" for a in addresses]
    idle = sorted(set(teachers) - read)
    if idle and not faults:
        faults.append(f'no transfer reads the teacher(s) {", ".join(idle)}; set them to None or add a transfer')
    return faults


def _transfer_faults(where: str, cfg: Any) -> tuple[list[str], Transfer | None]:
    """Return the faults of a transfer and of the dicts inside, and the transfer if there are none."""
    faults = argument_faults(cfg, MODELS, where)
    connectors = (cfg.get('connector') or []) if isinstance(cfg, Mapping) else []
    for connector in connectors if isinstance(connectors, (list, tuple)) else [connectors]:
        faults += argument_faults(connector, MODELS, f'{where}, connector', ('in_shape', 'goal'))
    if faults:
        return faults, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # warnings come when the model is built
            transfer = build_checked(cfg, MODELS, where)
    except ValueError as error:
        return str(error).splitlines(), None
    if not isinstance(transfer, Transfer):
        return [f'{where}: {type(transfer).__name__} is not a transfer'], None
    return [], transfer
