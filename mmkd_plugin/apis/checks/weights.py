"""Weights that a run starts from, held against its networks: the host loads what fits, and says nothing of the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from torch import Tensor

from mmkd_plugin.fileio import check_weights, load_checkpoint
from mmkd_plugin.models.distillers import Distiller, load_network

__all__ = ['weight_faults']


def weight_faults(model: object, load_from: str | None, known: Collection[str]) -> list[str]:
    """List the files whose weights do not fit the networks that are to start from them.

    Args:
        model (object): As it is built from the config. Of one that is no distiller, nothing is said.
        load_from (str, optional): Checkpoint that the run loads, not one that it goes on from. A file that cannot be read is
            another fault.
        known (Collection[str]): Learners whose file has a fault already.

    Returns:
        list[str]: One sentence for each file.
    """
    faults: list[str] = []
    if not isinstance(model, Distiller):
        return faults
    for name, path in model.init_from.items():
        if name in known or path.endswith('.py'):
            continue
        try:
            load_network(model.learners[name], path)
        except ValueError as error:
            faults.append(f"learner '{name}', init_from: {error}")
    if load_from:
        try:
            state = load_checkpoint(load_from)['state_dict']
        except (OSError, ValueError):
            return faults
        try:
            _check_run(model, {key.removeprefix('module.'): value for key, value in state.items()}, f'load_from={load_from}')
        except ValueError as error:
            faults.append(str(error))
    return faults


def _check_run(model: Distiller, state: Mapping[str, Tensor], origin: str) -> None:
    """See that a checkpoint holds the deployed learner, and fits everything else that both have."""
    wanted, deployed = model.state_dict(), model.learners[model.deployed].state_dict()
    names = {key.split('.')[1] for key in state if key.startswith('learners.')}
    if not names:
        own = {key: value for key, value in state.items() if not key.startswith('data_preprocessor.')}
        check_weights(deployed, own, origin)
        return
    if model.deployed not in names:
        raise ValueError(
            f"{origin} holds the learner(s) {', '.join(sorted(names))}, and the run deploys '{model.deployed}'; "
            'init_from= of a learner takes the weights of another'
        )
    learners = tuple(f'learners.{name}.' for name in model.learners if name in names)
    parts = {key: value for key, value in wanted.items() if key.startswith(learners) or key in state}
    given = {key: value for key, value in state.items() if key in parts or key.startswith(learners)}
    check_weights(parts, given, origin)
