"""Connectors: student feature to teacher-shaped feature."""

from .base import Chain, Connector, PerStage, build_connector
from .frequency_attention import FrequencyAttention
from .lift import Lift
from .plain import ConvConnector, LinearConnector, NormReLU, Resize
from .review import LocalCrossAttention, ReviewConnector

__all__ = [
    'Chain',
    'Connector',
    'ConvConnector',
    'FrequencyAttention',
    'Lift',
    'LinearConnector',
    'LocalCrossAttention',
    'NormReLU',
    'PerStage',
    'Resize',
    'ReviewConnector',
    'build_connector',
]
