"""Distillers: networks and the arrows between them, as one model of the host."""

from .detector import AnomalyDetector
from .distiller import Distiller
from .examine import Examination, TermReport, examine
from .fusion import CrossAttentionFusion
from .network import Network
from .stages import Stages
from .teachers import Teachers, load_network

__all__ = [
    'AnomalyDetector',
    'CrossAttentionFusion',
    'Distiller',
    'Examination',
    'Network',
    'Stages',
    'Teachers',
    'TermReport',
    'examine',
    'load_network',
]
