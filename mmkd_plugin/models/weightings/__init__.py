"""Weightings of several teachers, per sample."""

from .confidence import Confidence
from .entropy import Entropy
from .fixed import Fixed, Uniform
from .minimum_norm import MinimumNorm

__all__ = ['Confidence', 'Entropy', 'Fixed', 'MinimumNorm', 'Uniform']
