"""Readers: one file per format, each giving recordings."""

from .base import Part, Reader
from .basic_motions import read_basic_motions
from .geneactiv import GENEActiv
from .hapt import HAPT
from .nab import NAB
from .pamap2 import PAMAP2
from .seglearn_watch import read_seglearn_watch
from .uci_har import UCIHAR
from .wisdm2019 import WISDM2019

__all__ = [
    'HAPT',
    'NAB',
    'PAMAP2',
    'UCIHAR',
    'WISDM2019',
    'GENEActiv',
    'Part',
    'Reader',
    'read_basic_motions',
    'read_seglearn_watch',
]
