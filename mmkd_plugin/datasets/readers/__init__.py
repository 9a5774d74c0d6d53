"""Readers: one file per format, each giving recordings."""

from .arrays import ArrayRecordings, save_recordings
from .base import Part, Reader
from .basic_motions import BasicMotions
from .geneactiv import GENEActiv
from .geotec import GeoTec
from .hapt import HAPT
from .nab import NAB
from .pamap2 import PAMAP2
from .seglearn_watch import SeglearnWatch
from .smartfallmm import SmartFallMM
from .tables import Tables
from .uci_har import UCIHAR
from .ucr import UCRArchive
from .umafall import UMAFall
from .utd_mhad import UTDMHAD
from .wedafall import WEDAFall
from .wisdm2019 import WISDM2019

__all__ = [
    'HAPT',
    'NAB',
    'PAMAP2',
    'UCIHAR',
    'UTDMHAD',
    'WISDM2019',
    'ArrayRecordings',
    'BasicMotions',
    'GENEActiv',
    'GeoTec',
    'Part',
    'Reader',
    'SeglearnWatch',
    'SmartFallMM',
    'Tables',
    'UCRArchive',
    'UMAFall',
    'WEDAFall',
    'save_recordings',
]
