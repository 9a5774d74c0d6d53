"""Filters of frequency attention in a checkpoint of a run, beside those that the run has begun with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from numpy.typing import NDArray
from torch import Tensor

from mmkd_plugin.fileio import check_weights, load_checkpoint
from mmkd_plugin.models.connectors import FrequencyAttention
from mmkd_plugin.models.distillers import Distiller
from mmkd_plugin.registry import MODELS
from mmkd_plugin.visualization import ShownFilter

__all__ = ['filter_gain', 'frequency_attentions', 'frequency_filters']


def frequency_filters(cfg: Config, checkpoint: str | Path) -> list[ShownFilter]:
    """Return the filters of all :class:`FrequencyAttention` of a config, as drawn with the run's seed and as learned.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        checkpoint (str | Path): Of a run, ``epoch_<n>.pth``; an exported student has no transfers.

    Raises:
        FileNotFoundError: The checkpoint does not exist.
        ValueError: The checkpoint has no transfers or others, or no transfer has such a connector.
    """
    content = load_checkpoint(checkpoint)
    prefix = 'transfers.'
    state = {key.removeprefix(prefix): value for key, value in content['state_dict'].items() if key.startswith(prefix)}
    if not state:
        raise ValueError(
            f'{checkpoint} holds no transfers, as an exported network; a checkpoint of the run, epoch_<n>.pth, has the filters'
        )
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    preprocessor = cfg.get('data_preprocessor') or cfg.model.data_preprocessor
    with torch.random.fork_rng():
        torch.manual_seed((content.get('meta') or {}).get('seed') or 0)  # as the run has built its model
        model: Distiller = MODELS.build({**cfg.model, 'data_preprocessor': preprocessor})
    before = {name: filter_gain(module) for name, module in frequency_attentions(model)}
    if not before:
        raise ValueError('no transfer of the config has a FrequencyAttention among its connectors: there is no filter to show')
    check_weights(model.transfers.state_dict(), state, f'checkpoint {checkpoint}')
    model.transfers.load_state_dict(state)
    return [
        ShownFilter(name, (module.in_shape[0], module.goal[0]), module.in_shape[1:], before[name], filter_gain(module))
        for name, module in frequency_attentions(model)
    ]


def frequency_attentions(model: Distiller) -> Iterator[tuple[str, FrequencyAttention]]:
    """Yield every frequency attention with its transfer, source and stage."""
    for name, transfer in model.transfers.items():
        for source, chain in transfer.connectors.items():
            modules = [module for module in chain.modules() if isinstance(module, FrequencyAttention)]
            for index, module in enumerate(modules):
                yield f'{name} from {source}' + (f', stage {index}' if len(modules) > 1 else ''), module


@torch.no_grad()
def filter_gain(module: FrequencyAttention) -> NDArray:
    """Return the mean gain over pairs of channels, the mean's bin first along time and in the middle of an image."""
    *rows, length = module.in_shape[1:]
    gain = (module.gamma1 * module.filter).pow(2).sum(3).sqrt()  # (F, C, C')
    half = gain.index_fill(0, module.removed, 0.0).mean((1, 2)).view(*rows, length // 2 + 1)
    return (torch.fft.fftshift(_whole(half, length)) if rows else half).numpy()


def _whole(half: Tensor, columns: int) -> Tensor:
    """Return the gain ``(H, W)`` of a half spectrum ``(H, W // 2 + 1)``: at −k that of k."""
    mirrored = torch.roll(half.flip(0), 1, 0)[:, 1 : (columns + 1) // 2].flip(1)
    return torch.cat([half, mirrored], 1)
