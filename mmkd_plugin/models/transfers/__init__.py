"""Transfers: the arrows between networks."""

from .base import Transfer
from .feature import FeatureTransfer
from .response import ResponseTransfer

__all__ = ['FeatureTransfer', 'ResponseTransfer', 'Transfer']
