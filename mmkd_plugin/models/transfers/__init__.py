"""Transfers of knowledge from networks to a network, each one number per sample."""

from .base import Transfer
from .contrastive import BatchContrastTransfer, ContrastiveTransfer
from .feature import FeatureTransfer
from .maps import ActivationMapTransfer, EvidenceTransfer
from .memory_bank import MemoryBank
from .relation import AttentionTransfer, MergedSimilarityTransfer, RelationTransfer
from .response import CorrelationTransfer, CurriculumTransfer, DecoupledTransfer, ResponseTransfer

__all__ = [
    'ActivationMapTransfer',
    'AttentionTransfer',
    'BatchContrastTransfer',
    'ContrastiveTransfer',
    'CorrelationTransfer',
    'CurriculumTransfer',
    'DecoupledTransfer',
    'EvidenceTransfer',
    'FeatureTransfer',
    'MemoryBank',
    'MergedSimilarityTransfer',
    'RelationTransfer',
    'ResponseTransfer',
    'Transfer',
]
