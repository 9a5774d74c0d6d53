"""Multimodal knowledge distillation on time series, as an OpenMMLab plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .compatibility import check_host, ignore_warnings
from .version import __version__

check_host()  # before anything of the host is imported, and without importing it
ignore_warnings()

if TYPE_CHECKING:
    from .deploy import SignalInferencer

__all__ = ['SignalInferencer', '__version__']


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is asked for: the commands start without torch."""
    if name == 'SignalInferencer':
        from .deploy import SignalInferencer

        return SignalInferencer
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
