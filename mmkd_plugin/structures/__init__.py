"""What flows between networks: taps and the addresses that name them."""

from .taps import TAP_NAMES, Address, Shape, Taps, shape_of

__all__ = ['TAP_NAMES', 'Address', 'Shape', 'Taps', 'shape_of']
