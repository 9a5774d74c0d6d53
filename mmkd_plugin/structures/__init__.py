"""Taps of networks and their addresses, and the fields and arguments that a config may set."""

from .arguments import Arguments, accepted_arguments
from .fields import build_fields, check_number, check_variant, check_whole, field_faults, suggest, unknown_name
from .taps import TAP_NAMES, Address, Shape, Taps, shape_of

__all__ = [
    'TAP_NAMES',
    'Address',
    'Arguments',
    'Shape',
    'Taps',
    'accepted_arguments',
    'build_fields',
    'check_number',
    'check_variant',
    'check_whole',
    'field_faults',
    'shape_of',
    'suggest',
    'unknown_name',
]
