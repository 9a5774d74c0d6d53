"""Teachers: networks that are run and never trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from mmkd_plugin.fileio import check_weights, load_checkpoint

from .base_network import BaseNetwork

__all__ = ['Teachers', 'deployed_weights', 'load_network']


class Teachers(dict[str, BaseNetwork]):
    """Frozen networks by name: always in eval mode, without gradients.

    Deliberately not an ``nn.Module``: a network that is not a submodule is in neither ``parameters()``, hence the optimiser
    and DDP, nor ``state_dict()``, hence checkpoints and exports, nor reached by ``train()``. This is the one place that
    freezes teachers.
    """

    def __init__(self, networks: dict[str, BaseNetwork]) -> None:
        super().__init__(networks)
        for network in self.values():
            network.eval().requires_grad_(False)
            if len(network.sample_shape) == 3:  # images: convolutions run with the channels last for any input
                network.to(memory_format=torch.channels_last)

    def apply_to_tensors(self, function: Callable) -> None:
        """Apply a function to all tensors, as ``nn.Module._apply`` does for submodules."""
        for network in self.values():
            network._apply(function)


def deployed_weights(state: dict, name: str | None = None) -> dict:
    """Return the weights of one network out of a checkpoint of an exported network or of a distiller.

    Args:
        state (dict): State dict with the names of a network (``backbone.*``) or of a distiller
            (``learners.<name>.backbone.*``).
        name (str, optional): Name of the learner; optional where there is only one.

    Raises:
        ValueError: There is no such learner, or there are several and no name.
    """
    prefix = 'learners.'
    names = {key[len(prefix) :].partition('.')[0] for key in state if key.startswith(prefix)}
    if not names:
        return state
    if name is None and len(names) == 1:
        name = names.pop()
    elif name not in names:
        raise ValueError(f'the checkpoint holds the learners {", ".join(sorted(names))}, not {name!r}')
    prefix += f'{name}.'
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def load_network(network: BaseNetwork, path: str | Path, learner: str | None = None) -> dict:
    """Load a checkpoint into a network; every name and shape must match.

    Args:
        network (BaseNetwork): Changed in place.
        path (str | Path): Checkpoint of this package, of mmpretrain, or of the module that an external network wraps.
        learner (str, optional): Name of the learner in a distiller's checkpoint with several learners.

    Returns:
        dict: The checkpoint's ``meta``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The checkpoint does not match, or cannot be loaded safely.
    """
    checkpoint = load_checkpoint(path)
    meta = checkpoint.get('meta', {})
    try:
        state = deployed_weights(checkpoint['state_dict'], learner or meta.get('deployed'))
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    state = network.own_weights({key: value for key, value in state.items() if not key.startswith('data_preprocessor.')})
    check_weights(network.state_dict(), state, f'checkpoint {path}')
    network.load_state_dict(state)
    return meta
