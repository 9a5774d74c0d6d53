"""A demo of a student in the browser: the live signal, images of it, and what the student decides."""

from mmkd_plugin.compatibility import require

for _name in ('uvicorn', 'fastapi', 'websockets'):  # the last one is imported by uvicorn, when the server starts
    require(_name, 'a demo', 'mmkd_plugin[demo]')

from .live import LiveSignal  # noqa: E402 - the sentence of what is missing comes first
from .messages import MessageLimits  # noqa: E402
from .server import HOST, build_server, listen  # noqa: E402

__all__ = ['HOST', 'LiveSignal', 'MessageLimits', 'build_server', 'listen']
