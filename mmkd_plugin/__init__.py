"""Multimodal knowledge distillation on time series, as an OpenMMLab plugin."""

from .compatibility import check_host
from .version import __version__

check_host()

__all__ = ['__version__']
