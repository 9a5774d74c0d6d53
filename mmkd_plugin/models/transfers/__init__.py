"""Transfers: the arrows between networks."""

from .base import Transfer
from .feature import FeatureTransfer
from .relation import AttentionTransfer, RelationTransfer
from .response import CorrelationTransfer, DecoupledTransfer, ResponseTransfer

__all__ = [
    'AttentionTransfer',
    'CorrelationTransfer',
    'DecoupledTransfer',
    'FeatureTransfer',
    'RelationTransfer',
    'ResponseTransfer',
    'Transfer',
]
