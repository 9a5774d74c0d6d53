"""Weightings of several teachers, per sample."""

from .confidence import Confidence
from .entropy import Entropy
from .fixed import Fixed, Uniform

__all__ = ['Confidence', 'Entropy', 'Fixed', 'Uniform']
