"""Distillers: networks and the arrows between them, as one model of the host."""

from .distiller import Distiller
from .network import Network
from .teachers import Teachers, load_network

__all__ = ['Distiller', 'Network', 'Teachers', 'load_network']
