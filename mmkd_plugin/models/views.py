"""Views of a window, made per batch: the signal and images of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS, build_checked
from mmkd_plugin.structures import SIGNAL, ViewSource, read_source, stream_sizes

from .encoders.base import USUAL, Encoder

__all__ = ['ViewPreprocessor', 'view_faults']


@MODELS.register_module()
class ViewPreprocessor(BaseDataPreprocessor):
    """Preprocessor that collates windows and makes the views that the networks read.

    It also holds the sizes of the data, ``shape`` and ``num_classes``, which are written once, beside the data set, and in no
    network's config.

    An entry of ``views`` may have ``channels``, names or patterns of the channels that the view reads, all by default, and
    ``stream``, the sensor, by default the recordings' own signal: ``dict(type='GramianAngularField', channels='wrist_*')``.
    An entry without a type is the signal itself: ``dict(stream='skeleton')``.

    Args:
        shape (tuple[int, int]): Channels and samples of a window, ``(C, T)``.
        num_classes (int): K.
        views (dict): ``{name: config of the encoder}``; ``'sig'``, the signal itself, always exists.
        channels (Sequence[str], optional): Names of the C channels, where a view chooses some.
        streams (dict, optional): ``{name: dict(shape=(C, T), channels=[...])}`` of the other sensors.
        non_blocking (bool): Copy to the device without waiting.

    Raises:
        ValueError: 'sig' is given an encoder, a view's config is wrong, or it has more pixels than the window has samples.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        num_classes: int,
        views: dict | None = None,
        channels: Sequence[str] | None = None,
        streams: dict | None = None,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        sizes = stream_sizes(shape, channels, streams)
        self.shapes = {name: size.shape for name, size in sizes.items()}
        self.shape, self.num_classes = self.shapes[SIGNAL], num_classes
        self.sources, self.encoders = {'sig': ViewSource(SIGNAL, self.shape)}, nn.ModuleDict()
        for name, cfg in (views or {}).items():
            if cfg is None:
                continue
            self.sources[name], settings = read_source(name, cfg, sizes)
            if settings:
                self.encoders[name] = build_checked(settings, MODELS, f"view '{name}'")
        for name, encoder in self.encoders.items():
            size, samples = getattr(encoder, 'image_size', None), self.sources[name].shape[1]
            if isinstance(encoder, Encoder) and isinstance(size, int) and size > samples:
                raise ValueError(
                    f'data_preprocessor.views.{name}.image_size is {size}, but windows have {samples} samples and a '
                    f'{encoder.title} has no more pixels; without the key, it follows the window up to {USUAL}'
                )
        self.training_views = self.inference_views = self.names

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all views."""
        return tuple(self.sources)

    def ask(self, training: Iterable[str], inference: Iterable[str]) -> None:
        """Set the views to make.

        Args:
            training (Iterable[str]): Views that training needs.
            inference (Iterable[str]): Views that a prediction needs.
        """
        self.training_views, self.inference_views = tuple(sorted(set(training))), tuple(sorted(set(inference)))

    def by_window(self, views: Iterable[str]) -> list[str]:
        """Return those of the views that are looked up by the name of a window, and not made from its signal."""
        return [view for view in views if view in self.encoders and getattr(self.encoders[view], 'by_window', False)]

    def zeros(self, device: torch.device | None = None) -> Tensor | dict[str, Tensor]:
        """Return a window of zeros as a batch of one: ``(1, C, T)``, or one of each stream."""
        zeros = {name: torch.zeros(1, *shape, device=device) for name, shape in self.shapes.items()}
        return zeros if len(zeros) > 1 else zeros[SIGNAL]

    def make(
        self, inputs: Tensor | Mapping[str, Tensor], views: Iterable[str], windows: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        """Make views of a batch.

        Args:
            inputs (Tensor | Mapping[str, Tensor]): ``(N, C, T)``, or by the names of the streams.
            views (Iterable[str]): Names of the views.
            windows (Sequence[str], optional): Names of the windows, for views that are looked up by them; without names such
                a view is zeros, which tell its shape.

        Returns:
            dict[str, Tensor]: ``(N, C, T)`` for signals, ``(N, C, S, S)`` for images.
        """
        views = list(views)
        stored = self.by_window(views)
        made = {view: self.sources[view].read(inputs) for view in views}
        more = {view: (windows,) if view in stored else () for view in views}
        return {view: self.encoders[view](x, *more[view]) if view in self.encoders else x for view, x in made.items()}

    def forward(self, data: dict, training: bool = False) -> dict:
        """Collate, move to the device, make the views.

        Args:
            data (dict): ``inputs``, a batch ``(N, C, T)`` or a list of windows ``(C, T)``, or a dict of those by the names of
                the streams, and ``data_samples``.
            training (bool): Whether to make the views of training rather than those of a prediction.

        Returns:
            dict: The data, with ``inputs`` a dict of views.

        Raises:
            ValueError: The windows do not have the configured shape.
        """
        data = self.cast_data(data)
        return {**data, 'inputs': self.encode(data, self.training_views if training else self.inference_views)}

    def encode(self, data: dict, views: Iterable[str]) -> dict[str, Tensor]:
        """Collate the windows of a batch, move them to the device, and make the named views.

        Args:
            data (dict): As in :meth:`forward`; of ``data_samples``, which are left where they are, only names are read.
            views (Iterable[str]): Names of the views.

        Returns:
            dict[str, Tensor]: By name of the view.

        Raises:
            ValueError: The windows do not have the configured shape, or have no names where a view is looked up by them.
        """
        views = list(views)
        inputs = self._collate(data['inputs'], {self.sources[view].stream for view in views})
        stored, windows = self.by_window(views), None
        if stored:
            windows = [sample.get('window_id') for sample in data.get('data_samples') or ()]
            if len(windows) != len(next(iter(inputs.values()))) or None in windows:
                raise ValueError(f"view '{stored[0]}' is looked up by the names of windows, and the batch has none")
        return self.make(inputs, views, windows)

    def _collate(self, inputs: Any, streams: Iterable[str]) -> dict[str, Tensor]:
        """Return the named streams of a batch, on the device."""
        inputs = inputs if isinstance(inputs, Mapping) else {SIGNAL: inputs}
        collated = {}
        for name in streams:
            if name not in inputs:
                raise ValueError(f"the windows have no stream '{name}', but {', '.join(inputs)}")
            signal = self.cast_data({'inputs': inputs[name]})['inputs']
            signal = signal if isinstance(signal, Tensor) else torch.stack(tuple(signal))
            if tuple(signal.shape[1:]) != self.shapes[name]:
                key = 'shape' if name == SIGNAL else f'streams.{name}.shape'
                raise ValueError(
                    f'the windows have shape {tuple(signal.shape[1:])}, but data_preprocessor.{key} is {self.shapes[name]}'
                )
            collated[name] = signal
        return collated


def view_faults(preprocessor: Mapping) -> list[str]:
    """List the faults of the sizes of the data, of the views' sources and of their encoders.

    Args:
        preprocessor (Mapping): Config of a :class:`ViewPreprocessor`.

    Returns:
        list[str]: One sentence for each fault.
    """
    faults: list[str] = []
    try:
        sizes = stream_sizes(preprocessor.get('shape', ()), preprocessor.get('channels'), preprocessor.get('streams'))
    except ValueError as error:
        return str(error).splitlines()
    for name, cfg in (preprocessor.get('views') or {}).items():
        try:
            settings = {} if cfg is None else read_source(name, cfg, sizes)[1]
            if settings:
                build_checked(settings, MODELS, f"data_preprocessor: view '{name}'")
        except ValueError as error:
            faults += str(error).splitlines()
    return faults
