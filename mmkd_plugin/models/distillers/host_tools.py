"""What the host's tools, which know classifiers of images, ask of a distiller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from mmkd_plugin.fileio import check_weights

from .lazy_taps import LazyTaps

if TYPE_CHECKING:
    from .distiller import Distiller

__all__ = ['adopt_export', 'extract_features']


def adopt_export(state: dict, prefix: str, name: str, network: nn.Module) -> None:
    """Give the weights of an exported network the names that they have in a distiller.

    The host loads what fits and warns of the rest: a distiller would be tested with random weights.

    Args:
        state (dict): State dict that a distiller is to load, changed in place.
        prefix (str): What stands before all names of the distiller.
        name (str): Of the deployed learner.
        network (nn.Module): The deployed learner.

    Raises:
        ValueError: The weights are neither a distiller's nor the deployed learner's.
    """
    keys = [key for key in state if key.startswith(prefix) and not key.startswith(f'{prefix}data_preprocessor.')]
    if not keys or any(key.startswith((f'{prefix}learners.', f'{prefix}transfers.')) for key in keys):
        return
    given = {key[len(prefix) :]: state[key] for key in keys}
    check_weights(network.state_dict(), given, f"the checkpoint for learner '{name}'")
    for key in keys:
        state[f'{prefix}learners.{name}.{key[len(prefix) :]}'] = state.pop(key)


def extract_features(model: Distiller, inputs: Tensor | dict[str, Tensor], stage: str = 'neck') -> tuple[Tensor]:
    """Return what the classifier of a distiller's deployed learner reads.

    Args:
        model (Distiller): With its weights.
        inputs (Tensor | dict[str, Tensor]): Signals ``(N, C, T)``, or views as the data preprocessor makes them.
        stage (str): 'neck' or 'pre_logits', which are the same here.

    Returns:
        tuple[Tensor]: One feature, ``(N, D)``.

    Raises:
        ValueError: The inputs are not such signals, or the stage is another one.
    """
    if stage not in ('neck', 'pre_logits'):
        raise ValueError(f"stage must be 'neck' or 'pre_logits', the pooled features of the deployed network, got {stage!r}")
    shape = model.data_preprocessor.shape
    given = [int(size) for size in inputs.shape] if isinstance(inputs, Tensor) else []  # traced sizes are tensors
    if given and tuple(given[1:]) != shape:
        raise ValueError(
            f'inputs must be signals (N, {shape[0]}, {shape[1]}), got {given}; '
            f'mmengine.analysis.get_model_complexity_info(model, {shape}) counts their operations'
        )
    views = model.data_preprocessor.make(inputs, model.inference_views()) if isinstance(inputs, Tensor) else inputs
    return (LazyTaps(model, views)[model.deployed].embedding,)
