"""Readers: one file per format, each giving recordings."""

from .basic_motions import read_basic_motions
from .numenta import read_numenta
from .seglearn_watch import read_seglearn_watch

__all__ = ['read_basic_motions', 'read_numenta', 'read_seglearn_watch']
