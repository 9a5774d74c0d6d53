"""Mantis, a foundation model of time series, as a frozen backbone."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmkd_plugin.compatibility import require
from mmkd_plugin.failures import reworded
from mmkd_plugin.fileio import check_weights, load_checkpoint
from mmkd_plugin.registry import MODELS

__all__ = ['Mantis']

LENGTH = 512  # samples that the model reads
OLD, NEW = 'vit_unit.', 'transf_unit.'  # of weights: as they were published, and as release 1 of the package names them


@MODELS.register_module()
class Mantis(BaseModule):
    """Mantis (Feofanov et al. 2025, https://arxiv.org/abs/2502.15637, section 3), frozen, one channel after another.

    Every channel is resampled linearly to the 512 samples that the model reads, as its authors do, and gives 256 features;
    those of all channels stand side by side. The model is the one of its authors' package (extra ``mantis``), always in eval
    mode and without gradients, so that only what reads the features is trained: with the default head of a
    :class:`~mmkd_plugin.models.distillers.Network`, a linear probe.

    Args:
        weights (str): Local file of the model's weights, ``model.safetensors`` as published, or a checkpoint of torch. Nothing
            is fetched.

    Raises:
        ImportError: The package is not installed.
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or of another model.
    """

    channel_wise = True

    def __init__(self, weights: str) -> None:
        super().__init__()
        architecture = require('mantis.architecture', 'Mantis', 'mmkd_plugin[mantis]')
        self.model = architecture.MantisV1(seq_len=LENGTH, device='cpu')
        self.out_channels = (self.model.hidden_dim,)  # of one channel
        state = {_new_name(name): value for name, value in _read(weights).items()}
        check_weights(self.model.state_dict(), state, f'weights {weights}')
        self.model.load_state_dict(state)
        self.train()

    def init_weights(self) -> None:
        """Keep the weights of the file."""

    def train(self, mode: bool = True) -> Mantis:
        """Set the mode; the model stays frozen and in eval mode."""
        super().train(mode)
        self.model.eval().requires_grad_(False)
        return self

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map ``(N, C, T)`` to one stage, ``(N, C · 256)``."""
        signal = F.interpolate(x, LENGTH, mode='linear', align_corners=False)  # (N, C, 512)
        features = self.model(signal.flatten(0, 1)[:, None])  # (N · C, 256)
        return (features.reshape(len(x), -1),)


def _new_name(name: str) -> str:
    return NEW + name.removeprefix(OLD) if name.startswith(OLD) else name


def _read(weights: str) -> dict[str, Tensor]:
    """Read weights without running code."""
    if Path(weights).suffix != '.safetensors':
        return load_checkpoint(weights)['state_dict']
    if not Path(weights).is_file():
        raise FileNotFoundError(f'there is no file of weights {weights}')
    from safetensors.torch import load_file

    with reworded(f'{weights} cannot be read'):  # the format has errors of its own
        return load_file(weights)
