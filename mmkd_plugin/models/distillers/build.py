"""Networks of a distiller: built from their configs, probed once with a sample of zeros, and bound to the transfers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.model import ModuleDict
from torch import Tensor, nn

from mmkd_plugin.fileio import read_outputs
from mmkd_plugin.registry import MODELS, build_checked
from mmkd_plugin.structures import Taps, shape_of

from ..views import ViewPreprocessor
from .base_network import BaseNetwork
from .nodes import Learner, Teacher
from .stored_outputs import OutputsNetwork
from .teachers import Teachers

__all__ = ['bind_transfers', 'borrow_classifiers', 'build_networks']


def build_networks(
    trained: Mapping[str, Learner], frozen: Mapping[str, Teacher], views: Mapping[str, str], preprocessor: ViewPreprocessor
) -> tuple[ModuleDict, Teachers, dict[str, Taps], Tensor]:
    """Build the networks of a distiller, the first learner before all others.

    Args:
        trained (Mapping[str, Learner]): Entries of the learners.
        frozen (Mapping[str, Teacher]): Entries of the teachers.
        views (Mapping[str, str]): View that a network reads, by its name.
        preprocessor (ViewPreprocessor): Makes the views and knows the number of classes.

    Returns:
        tuple[ModuleDict, Teachers, dict[str, Taps], Tensor]: Learners, those that read others last; teachers; the taps that
        each network gives for a sample of zeros; and the state of torch's generator after the first learner.

    Raises:
        ValueError: A network cannot be built, or cannot read its view or the taps of others.
    """
    own = {name: node for name, node in trained.items() if not node.reads}
    learners, drawn = ModuleDict(), torch.get_rng_state()
    for name, node in own.items():
        learners[name] = _build_network(name, node, views[name], preprocessor)
        drawn = drawn if len(learners) > 1 else torch.get_rng_state()
    teachers = Teachers({name: _build_network(name, node, views[name], preprocessor) for name, node in frozen.items()})
    networks = {**learners, **teachers}
    taps = {name: _probe(network, views[name], preprocessor) for name, network in networks.items()}
    learners.update(_build_fusions(trained, taps))
    return learners, teachers, taps, drawn


def _build_network(name: str, node: Learner | Teacher, view: str, preprocessor: ViewPreprocessor) -> BaseNetwork:
    """Build a network for the samples of its view.

    Args:
        name (str): Name of the network, for messages.
        node (Learner | Teacher): Entry of the network.
        view (str): View that the network reads.
        preprocessor (ViewPreprocessor): Makes the view and knows the number of classes.

    Raises:
        ValueError: The network cannot be built, or cannot read such a sample.
    """
    if isinstance(node, Teacher) and node.outputs is not None:
        try:
            return OutputsNetwork(read_outputs(node.outputs), preprocessor.num_classes)
        except ValueError as error:
            raise ValueError(f"teacher '{name}': {error}") from error
    sample = _zero_sample(view, preprocessor)
    sizes = dict(type='Network', sample_shape=tuple(sample.shape[1:]), num_classes=preprocessor.num_classes)
    return build_checked({**sizes, **node.network}, MODELS, f"network '{name}'")


@torch.no_grad()
def _probe(network: BaseNetwork, view: str, preprocessor: ViewPreprocessor) -> Taps:
    """Return the taps that a network gives for a sample of zeros.

    Args:
        network (Network): Left in the mode in which it is.
        view (str): View that the network reads.
        preprocessor (ViewPreprocessor): Makes the view.
    """
    training = network.training
    taps = network.eval()(_zero_sample(view, preprocessor))
    network.train(training)
    return taps


def _build_fusions(learners: Mapping[str, Learner], taps: dict[str, Taps]) -> dict[str, nn.Module]:
    """Build the networks that read the taps of other learners.

    Args:
        learners (Mapping[str, Learner]): All learners.
        taps (dict[str, Taps]): Probed taps of the networks with a view; those of the fusions are added.

    Raises:
        ValueError: A fusion cannot read these taps.
    """
    fusions = {}
    for name, learner in learners.items():
        if not learner.reads:
            continue
        branches = [taps[branch] for branch in learner.reads]
        shapes = [shape_of(branch.stages[-1]) for branch in branches]
        fusion = build_checked(learner.network, MODELS, f"network '{name}'", in_shapes=shapes)
        try:
            with torch.no_grad():
                taps[name] = fusion.eval()(*branches)
        except ValueError as error:
            raise ValueError(f"network '{name}': {error}") from error
        fusions[name] = fusion.train()
    return fusions


def borrow_classifiers(borrowed: Mapping[str, str], learners: Mapping[str, Any], teachers: Mapping[str, Any]) -> None:
    """Copy teachers' classifiers into the learners that take them over, and freeze them there.

    Args:
        borrowed (Mapping[str, str]): Name of the teacher by name of the learner.
        learners (Mapping[str, nn.Module]): Networks that are trained, changed in place.
        teachers (Mapping[str, BaseNetwork]): Frozen networks.

    Raises:
        ValueError: A classifier is not global average pooling and one linear layer, or the shapes differ.
    """
    for name, teacher in borrowed.items():
        own, theirs = learners[name].classifier, teachers[teacher].classifier
        shapes = [None if layer is None else tuple(layer.weight.shape) for layer in (own, theirs)]
        if None in shapes or shapes[0] != shapes[1]:
            raise ValueError(
                f"learner '{name}' cannot take over the classifier of '{teacher}': the shapes are {shapes[0]} and "
                f'{shapes[1]}, and both must be one linear layer after global average pooling'
            )
        own.load_state_dict(theirs.state_dict())
        own.requires_grad_(False)


@torch.no_grad()
def bind_transfers(
    transfers: Mapping[str, Any], taps: Mapping[str, Taps], trained: Mapping[str, nn.Module], meta: bool = False
) -> None:
    """Look every address up among the probed taps, and size every connector.

    Args:
        transfers (Mapping[str, nn.Module]): By name, changed in place.
        taps (Mapping[str, Taps]): Probed taps of all networks.
        trained (Mapping[str, nn.Module]): Networks that a transfer may train.
        meta (bool): Whether networks that weigh the teachers are trained.

    Raises:
        ValueError: A tap is missing, shapes cannot be brought together, the target is a teacher's, or a network that weighs the
            teachers would never be trained.
    """
    for name, transfer in transfers.items():
        try:
            transfer.bind(taps)
            if transfer.target.node not in trained:
                raise ValueError(f"'{transfer.target}' is a teacher's and cannot learn")
            if transfer.weighted_by == 'responses' and not meta:
                raise ValueError(f"{type(transfer.weighting).__name__} weights are trained by type='MetaDistiller' alone")
        except ValueError as error:
            raise ValueError(f"transfer '{name}': {error}") from error


def _zero_sample(view: str, preprocessor: ViewPreprocessor) -> Tensor:
    return preprocessor.make(preprocessor.zeros(), [view])[view]  # (1, C, *S)
