"""Readers: one file per format, each giving recordings."""

from .base import Part, Reader
from .basic_motions import read_basic_motions
from .nab import NAB
from .pamap2 import PAMAP2
from .seglearn_watch import read_seglearn_watch
from .uci_har import UCIHAR

__all__ = ['NAB', 'PAMAP2', 'UCIHAR', 'Part', 'Reader', 'read_basic_motions', 'read_seglearn_watch']
