"""Metrics that the host lacks."""

from .anomaly import AnomalyMetric

__all__ = ['AnomalyMetric']
