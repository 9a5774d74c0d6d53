"""Taps of networks and their addresses, and the fields and arguments that a config may set."""

from .arguments import Arguments, accepted_arguments
from .fields import build_fields, check_number, check_variant, check_whole, field_faults, suggest, unknown_name
from .sources import SIGNAL, StreamSize, ViewSource, choose_channels, read_source, stream_sizes
from .taps import TAP_NAMES, Address, Shape, Taps, shape_of

__all__ = [
    'SIGNAL',
    'TAP_NAMES',
    'Address',
    'Arguments',
    'Shape',
    'StreamSize',
    'Taps',
    'ViewSource',
    'accepted_arguments',
    'build_fields',
    'check_number',
    'check_variant',
    'check_whole',
    'choose_channels',
    'field_faults',
    'read_source',
    'shape_of',
    'stream_sizes',
    'suggest',
    'unknown_name',
]
