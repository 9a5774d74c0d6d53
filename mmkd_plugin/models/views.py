"""Views of a window, made per batch: the signal, its Gramian angular field and its persistence image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn

from mmkd_plugin.functional import (
    gramian_angular_field,
    gramian_angular_field_on_device,
    signal_to_persistence_image,
    signal_to_persistence_image_on_device,
)
from mmkd_plugin.registry import MODELS, build_checked

__all__ = ['GramianAngularField', 'PersistenceImage', 'ViewPreprocessor']

USUAL = 32  # pixels


@MODELS.register_module()
class GramianAngularField(nn.Module):
    """Gramian angular field of every channel: ``(N, C, T)`` to ``(N, C, S, S)``, from −1 to 1.

    Wang & Oates, AAAI workshop 2015. Min–max scaling per window erases the amplitude; ``scale`` keeps it.

    Args:
        image_size (int, optional): S in pixels, at most T; 32 by default, or T in windows that are shorter.
        method (str): 'summation' or 'difference'.
        scale (tuple[float, float], optional): Range of the signal, in its units after normalisation, that becomes [−1, 1];
            values beyond are clipped. By default every window is scaled by its own minimum and maximum.

    Attributes:
        axes (tuple[str, str]): What columns and rows of the image stand for.
        lowest_first (bool): Whether the first row is the lowest when the image is drawn.
    """

    axes = ('time', 'time')
    lowest_first = True

    def __init__(
        self, image_size: int | None = None, method: str = 'summation', scale: tuple[float, float] | None = None
    ) -> None:
        super().__init__()
        self.image_size, self.method, self.scale = image_size, method, scale

    def forward(self, signal: Tensor) -> Tensor:
        """Map ``(N, C, T)`` to ``(N, C, S, S)``."""
        x = signal.detach()
        size = min(USUAL, int(x.shape[-1])) if self.image_size is None else self.image_size
        limits: tuple[float, float] | None = (-1, 1)
        if self.scale is not None:
            low, high = self.scale
            x, limits = (2 * (x - low) / (high - low) - 1).clamp(-1, 1), None
        if x.device.type != 'cpu' or torch.jit.is_tracing():  # arrays leave no trace in an exported graph
            return gramian_angular_field_on_device(x, size, self.method, limits)
        return torch.from_numpy(gramian_angular_field(x.numpy(), size, self.method, limits)).to(signal)


@MODELS.register_module()
class PersistenceImage(nn.Module):
    """Persistence image of every channel's sublevel-set H0 diagram: ``(N, C, T)`` to ``(N, C, S, S)``.

    Adams et al., JMLR 2017. Ranges and sigma are in units of the normalised signal.

    Args:
        image_size (int): S in pixels.
        birth_range (tuple[float, float]): Births that the image covers.
        persistence_range (tuple[float, float]): Lifetimes that the image covers.
        sigma (float): Standard deviation of the Gaussian.
        convention (str): 'integral', 'sampled' or 'persimage', see
            :func:`mmkd_plugin.functional.encodings.persistence_image`.
        min_persistence (float): Pairs that live no longer than this are dropped.
        normalize (bool): Divide every channel's image by its maximum.

    Attributes:
        axes (tuple[str, str]): What columns and rows of the image stand for, by the convention.
        lowest_first (bool): Whether the first row is the lowest when the image is drawn.
    """

    def __init__(
        self,
        image_size: int,
        birth_range: tuple[float, float],
        persistence_range: tuple[float, float],
        sigma: float,
        convention: str = 'integral',
        min_persistence: float = 0.0,
        normalize: bool = True,
    ) -> None:
        super().__init__()
        self.options: dict[str, Any] = dict(
            image_size=image_size,
            birth_range=tuple(birth_range),
            persistence_range=tuple(persistence_range),
            sigma=sigma,
            convention=convention,
            min_persistence=min_persistence,
            normalize=normalize,
        )
        self.axes = ('persistence', 'birth') if convention == 'integral' else ('birth', 'persistence')
        self.lowest_first = convention != 'persimage'

    def forward(self, signal: Tensor) -> Tensor:
        """Map ``(N, C, T)`` to ``(N, C, S, S)``."""
        x = signal.detach()
        if x.device.type != 'cpu':
            return signal_to_persistence_image_on_device(x, **self.options)
        return torch.from_numpy(signal_to_persistence_image(x.numpy(), **self.options)).to(signal)


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
            if isinstance(encoder, GramianAngularField) and isinstance(size, int) and size > self.shape[1]:
                raise ValueError(
                    f'data_preprocessor.views.{name}.image_size is {size}, but windows have {self.shape[1]} samples and a '
                    f'Gramian field has no more pixels; without the key, it follows the window up to {USUAL}'
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
