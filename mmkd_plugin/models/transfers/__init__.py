"""Transfers: what one network learns from others, as one number per sample."""

from .base import Transfer
from .contrastive import BatchContrastTransfer, ContrastiveTransfer
from .feature import FeatureTransfer
from .maps import ActivationMapTransfer, EvidenceTransfer
from .memory import SampleMemory
from .relation import AttentionTransfer, MergedSimilarityTransfer, RelationTransfer
from .response import CorrelationTransfer, DecoupledTransfer, ResponseTransfer

__all__ = [
    'ActivationMapTransfer',
    'AttentionTransfer',
    'BatchContrastTransfer',
    'ContrastiveTransfer',
    'CorrelationTransfer',
    'DecoupledTransfer',
    'EvidenceTransfer',
    'FeatureTransfer',
    'MergedSimilarityTransfer',
    'RelationTransfer',
    'ResponseTransfer',
    'SampleMemory',
    'Transfer',
]
