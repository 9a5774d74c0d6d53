"""Multimodal knowledge distillation on time series, as an OpenMMLab plugin."""

from .compatibility import check_host, ignore_warnings
from .version import __version__

check_host()  # before anything of the host is imported, and without importing it
ignore_warnings()

__all__ = ['__version__']
