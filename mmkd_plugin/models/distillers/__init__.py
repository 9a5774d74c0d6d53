"""Distillers: networks with transfers between them, as one model of the host."""

from .base_network import BaseNetwork
from .detector import AnomalyDetector
from .distiller import Distiller
from .examine import Examination, TermReport, examine
from .external_network import ExternalNetwork
from .faults import distiller_faults, model_faults
from .fusion import CrossAttentionFusion
from .hard_buffer import HardBuffer
from .lazy_taps import LazyTaps
from .meta import MetaDistiller
from .network import Network
from .nodes import Learner, Teacher
from .phases import Phase, Phases
from .quantized_network import QuantizedNetwork, observe_ranges
from .teachers import Teachers, deployed_weights, load_network

__all__ = [
    'AnomalyDetector',
    'BaseNetwork',
    'CrossAttentionFusion',
    'Distiller',
    'Examination',
    'ExternalNetwork',
    'HardBuffer',
    'LazyTaps',
    'Learner',
    'MetaDistiller',
    'Network',
    'Phase',
    'Phases',
    'QuantizedNetwork',
    'Teacher',
    'Teachers',
    'TermReport',
    'deployed_weights',
    'distiller_faults',
    'examine',
    'load_network',
    'model_faults',
    'observe_ranges',
]
