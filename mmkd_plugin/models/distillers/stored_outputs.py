"""Teachers whose outputs lie in a file: the file is looked up as a view, and a network without weights takes it apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mmkd_plugin.fileio import Outputs, read_outputs
from mmkd_plugin.structures import Taps

from ..views import ViewPreprocessor
from .base_network import BaseNetwork
from .nodes import Teacher

__all__ = ['OutputsNetwork', 'StoredOutputs', 'store_outputs']


class StoredOutputs(nn.Module):
    """View of a file of outputs, looked up by the window's name: ``(N, C, T)`` to ``(N, W)``, all taps side by side.

    The signal itself is not read, so that what happens to it in a pipeline, augmentation for example, does not show. Where a
    file by time has several outputs in a window, their mean counts, tap by tap.

    Args:
        path (str | Path): See :func:`~mmkd_plugin.fileio.read_outputs`.
        length (int): Samples of a window.
        rate (float, optional): Of the recordings, in Hz; needed for a file by time.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or no file of outputs.
    """

    by_window = True

    def __init__(self, path: str | Path, length: int, rate: float | None = None) -> None:
        super().__init__()
        self.outputs, self.length, self.rate = read_outputs(path), length, rate

    def forward(self, signal: Tensor, windows: Sequence[str] | None = None) -> Tensor:
        """Look the outputs of windows up.

        Args:
            signal (Tensor): ``(N, C, T)``, for number, device and type alone.
            windows (Sequence[str], optional): Names of the N windows; without them, the outputs are zeros.

        Returns:
            Tensor: ``(N, W)``.

        Raises:
            ValueError: A window has no output.
        """
        outputs = self.outputs
        if windows is None:
            return signal.new_zeros((len(signal), outputs.values.shape[1]))
        rows = [outputs.rows(window, self.length, self.rate) for window in windows]
        empty = [window for window, chosen in zip(windows, rows) if not len(chosen)]
        if empty:
            raise ValueError(f'{outputs.path} has no output of the window {empty[0]}')
        means = [outputs.values[chosen[0]] if len(chosen) == 1 else outputs.values[chosen].mean(0) for chosen in rows]
        return torch.from_numpy(np.stack(means)).to(signal)  # (N, W)


class OutputsNetwork(BaseNetwork):
    """Network without weights that gives the taps of a :class:`StoredOutputs` view.

    Args:
        outputs (Outputs): Of the file.
        num_classes (int): Number of classes K.

    Raises:
        ValueError: The file has logits of another number of classes.
    """

    stored = True

    def __init__(self, outputs: Outputs, num_classes: int) -> None:
        super().__init__()
        if outputs.shapes['logits'] != (num_classes,):
            raise ValueError(f'{outputs.path}: logits are of {outputs.shapes["logits"][0]} classes, expected {num_classes}')
        self.outputs, self.head = outputs, None
        self.sample_shape = outputs.values.shape[1:]

    @property
    def classifier_kind(self) -> str:
        """Kind of the classifier, for messages."""
        return f'not in {self.outputs.path}'

    def extra_repr(self) -> str:
        """Return file and fingerprint."""
        return f'{self.outputs.path}, {self.outputs.sha256}'

    def forward(self, x: Tensor) -> Taps:
        """Take outputs ``(N, W)`` apart.

        Returns:
            Taps: A tap that the file does not have is None, among the stages too.
        """
        shapes = self.outputs.shapes
        parts = x.split([int(np.prod(shape)) for shape in shapes.values()], dim=1)
        return self.assemble({tap: part.reshape(len(x), *shapes[tap]) for tap, part in zip(shapes, parts)})


def store_outputs(teachers: Mapping[str, Teacher], preprocessor: ViewPreprocessor) -> dict[str, str]:
    """Give the preprocessor a view for every teacher whose outputs lie in a file.

    Args:
        teachers (Mapping[str, Teacher]): All teachers.
        preprocessor (ViewPreprocessor): Changed in place.

    Returns:
        dict[str, str]: Name of the view by teacher.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file is damaged, or no file of outputs.
    """
    views = {}
    for name, teacher in teachers.items():
        if teacher.outputs is not None:
            views[name] = f'outputs of {name}'
            try:
                stored = StoredOutputs(teacher.outputs, preprocessor.shape[1], teacher.rate)
            except ValueError as error:
                raise ValueError(f"teacher '{name}': {error}") from error
            preprocessor.encoders[views[name]] = stored
            preprocessor.sources[views[name]] = preprocessor.sources['sig']  # looked up by window, whatever is read
    return views
