"""Distillers: networks and the arrows between them, as one model of the host."""

from .distiller import Distiller
from .examine import Examination, TermReport, examine
from .network import Network
from .teachers import Teachers, load_network

__all__ = ['Distiller', 'Examination', 'Network', 'Teachers', 'TermReport', 'examine', 'load_network']
