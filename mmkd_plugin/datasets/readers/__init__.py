"""Readers: one file per format, each giving recordings."""

from .base import Part, Reader
from .basic_motions import read_basic_motions
from .nab import NAB
from .seglearn_watch import read_seglearn_watch

__all__ = ['NAB', 'Part', 'Reader', 'read_basic_motions', 'read_seglearn_watch']
