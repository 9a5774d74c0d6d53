"""Views of a window, made per batch: the signal and images of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS, build_checked

from .encoders.base import USUAL, Encoder

__all__ = ['ViewPreprocessor']


@MODELS.register_module()
class ViewPreprocessor(BaseDataPreprocessor):
    """Preprocessor that collates windows and makes the views that the networks read.

    It also holds the sizes of the data, ``shape`` and ``num_classes``, which are written once, beside the data set, and in no
    network's config.

    Args:
        shape (tuple[int, int]): Channels and samples of a window, ``(C, T)``.
        num_classes (int): K.
        views (dict): ``{name: config of the encoder}``; ``'sig'``, the signal itself, always exists.
        non_blocking (bool): Copy to the device without waiting.

    Raises:
        ValueError: A view is called 'sig', its config is wrong, or it has more pixels than the window has samples.
    """

    def __init__(self, shape: tuple[int, int], num_classes: int, views: dict | None = None, non_blocking: bool = False) -> None:
        super().__init__(non_blocking=non_blocking)
        views = views or {}
        if 'sig' in views:
            raise ValueError("'sig' is the signal itself; give another name to the view")
        self.shape, self.num_classes = tuple(shape), num_classes
        self.encoders = nn.ModuleDict(
            {name: build_checked(cfg, MODELS, f"view '{name}'") for name, cfg in views.items() if cfg is not None}
        )
        for name, encoder in self.encoders.items():
            size = getattr(encoder, 'image_size', None)
            if isinstance(encoder, Encoder) and isinstance(size, int) and size > self.shape[1]:
                raise ValueError(
                    f'data_preprocessor.views.{name}.image_size is {size}, but windows have {self.shape[1]} samples and a '
                    f'{encoder.title} has no more pixels; without the key, it follows the window up to {USUAL}'
                )
        self.training_views = self.inference_views = self.names

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all views."""
        return ('sig', *self.encoders)

    def ask(self, training: Iterable[str], inference: Iterable[str]) -> None:
        """Set the views to make.

        Args:
            training (Iterable[str]): Views that training needs.
            inference (Iterable[str]): Views that a prediction needs.
        """
        self.training_views, self.inference_views = tuple(sorted(set(training))), tuple(sorted(set(inference)))

    def by_window(self, views: Iterable[str]) -> list[str]:
        """Return those of the views that are looked up by the name of a window, and not made from its signal."""
        return [view for view in views if view != 'sig' and getattr(self.encoders[view], 'by_window', False)]

    def make(self, signal: Tensor, views: Iterable[str], windows: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Make views of a batch.

        Args:
            signal (Tensor): ``(N, C, T)``.
            views (Iterable[str]): Names of the views.
            windows (Sequence[str], optional): Names of the windows, for views that are looked up by them; without names such
                a view is zeros, which tell its shape.

        Returns:
            dict[str, Tensor]: ``(N, C, T)`` for 'sig', ``(N, C, S, S)`` for images.
        """
        views = list(views)
        stored = self.by_window(views)
        more = {view: (windows,) if view in stored else () for view in views}
        return {view: signal if view == 'sig' else self.encoders[view](signal, *more[view]) for view in views}

    def forward(self, data: dict, training: bool = False) -> dict:
        """Collate, move to the device, make the views.

        Args:
            data (dict): ``inputs``, a batch ``(N, C, T)`` or a list of windows ``(C, T)``, and ``data_samples``.
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
        signal = self.cast_data({'inputs': data['inputs']})['inputs']
        if not isinstance(signal, Tensor):
            signal = torch.stack(tuple(signal))
        if tuple(signal.shape[1:]) != self.shape:
            raise ValueError(f'the windows have shape {tuple(signal.shape[1:])}, but data_preprocessor.shape is {self.shape}')
        stored, windows = self.by_window(views), None
        if stored:
            windows = [sample.get('window_id') for sample in data.get('data_samples') or ()]
            if len(windows) != len(signal) or None in windows:
                raise ValueError(f"view '{stored[0]}' is looked up by the names of windows, and the batch has none")
        return self.make(signal, views, windows)
