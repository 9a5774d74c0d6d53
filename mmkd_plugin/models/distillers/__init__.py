"""Distillers: networks and the transfers between them, as one model of the host."""

from .detector import AnomalyDetector
from .distiller import Distiller
from .examine import Examination, TermReport, examine
from .fusion import CrossAttentionFusion
from .network import Network
from .phases import Phases
from .teachers import Teachers, load_network

__all__ = [
    'AnomalyDetector',
    'CrossAttentionFusion',
    'Distiller',
    'Examination',
    'Network',
    'Phases',
    'Teachers',
    'TermReport',
    'examine',
    'load_network',
]
