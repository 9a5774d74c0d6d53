"""Plots of data and of what networks see in them."""

from .backends import MLflowVisBackend
from .cam import NetworkMap, draw_maps
from .confusion import draw_confusion
from .data import draw_inspection
from .embeddings import ShownEmbedding, draw_embeddings
from .figure import check_picture, figure_pixels, new_figure, save_figure
from .filters import ShownFilter, draw_filters
from .graph import Graph, GraphNetwork, GraphTransfer, draw_graph, spell
from .windows import Confused, ImageView, ShownWindow, draw_errors, draw_views

__all__ = [
    'Confused',
    'Graph',
    'GraphNetwork',
    'GraphTransfer',
    'ImageView',
    'MLflowVisBackend',
    'NetworkMap',
    'ShownEmbedding',
    'ShownFilter',
    'ShownWindow',
    'check_picture',
    'draw_confusion',
    'draw_embeddings',
    'draw_errors',
    'draw_filters',
    'draw_graph',
    'draw_inspection',
    'draw_maps',
    'draw_views',
    'figure_pixels',
    'new_figure',
    'save_figure',
    'spell',
]
