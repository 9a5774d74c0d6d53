"""A demo of a student in the browser: the live signal, images of it, and what the student decides."""

from .live import LiveSignal
from .messages import MessageLimits
from .server import HOST, build_server, listen

__all__ = ['HOST', 'LiveSignal', 'MessageLimits', 'build_server', 'listen']
