"""Metrics that the host lacks, or computes in another way."""

from .anomaly import AnomalyMetric
from .classification import SingleLabelMetric

__all__ = ['AnomalyMetric', 'SingleLabelMetric']
