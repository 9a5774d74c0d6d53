"""Transforms on the signal; views are made later, from what leaves here."""

from .normalize import NormalizeSignal
from .pack import PackWindows

__all__ = ['NormalizeSignal', 'PackWindows']
