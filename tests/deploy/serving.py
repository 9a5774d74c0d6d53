"""The server of a demo in a thread of the test; tests that import this are skipped where the demo's packages are not installed."""

import contextlib
import threading

import pytest

for name in ('fastapi', 'uvicorn', 'websockets'):
    pytest.importorskip(name, reason=f"{name} is not installed: pip install 'mmkd_plugin[demo]'")

import websockets  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

from mmkd_plugin.deploy.demo import build_server, listen  # noqa: E402

__all__ = ['connect', 'serving', 'websockets']


@contextlib.contextmanager
def serving(signal):
    """Serve a signal; give the address."""
    with listen(0) as listener:
        server = build_server(signal, listener)
        thread = threading.Thread(target=server.run, kwargs={'sockets': [listener]})
        thread.start()
        try:
            yield f'127.0.0.1:{listener.getsockname()[1]}'
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()
