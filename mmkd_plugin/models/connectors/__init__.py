"""Connectors from a student's feature to one of the teacher's shape."""

from .base import Chain, Connector, PerStage, build_connector, has_stages
from .bottleneck import BottleneckProjector
from .frequency_attention import FrequencyAttention
from .lift import Lift
from .plain import ConvConnector, LinearConnector, NormReLU, Resize
from .review import GatedReviewConnector, LocalCrossAttention, ReviewConnector, StageReview

__all__ = [
    'BottleneckProjector',
    'Chain',
    'Connector',
    'ConvConnector',
    'FrequencyAttention',
    'GatedReviewConnector',
    'Lift',
    'LinearConnector',
    'LocalCrossAttention',
    'NormReLU',
    'PerStage',
    'Resize',
    'ReviewConnector',
    'StageReview',
    'build_connector',
    'has_stages',
]
