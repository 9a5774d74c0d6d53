"""A demo of a student in the browser: the live signal, images of it, and what the student decides."""

from .live import LiveSignal
from .messages import Limits
from .server import HOST, build_server, listen

__all__ = ['HOST', 'Limits', 'LiveSignal', 'build_server', 'listen']
