"""Weightings of several teachers, per sample."""

from .confidence import Confidence
from .entropy import Entropy
from .fixed import Fixed, Uniform
from .learned import Learned
from .minimum_norm import MinimumNorm
from .self_paced import SelfPaced

__all__ = ['Confidence', 'Entropy', 'Fixed', 'Learned', 'MinimumNorm', 'SelfPaced', 'Uniform']
