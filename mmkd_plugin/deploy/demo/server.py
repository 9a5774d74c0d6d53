"""The server of a demo: a page, what it watches, and samples from a client, for programs and pages of this machine alone."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect

from .guard import Guard
from .live import LiveSignal, say
from .messages import FORBIDDEN, WRONG, Pace, RefusalError, read_message

__all__ = ['HOST', 'build_server', 'listen']

HOST = '127.0.0.1'
PAGE = Path(__file__).parent / 'page'
FILES = {
    '/': ('page.html', 'text/html; charset=utf-8'),
    '/page.css': ('page.css', 'text/css; charset=utf-8'),
    '/page.js': ('page.js', 'text/javascript; charset=utf-8'),
}
REASON = 120  # bytes of a reason with which a connection is closed; RFC 6455 has room for 123
FAREWELL = 1.0  # seconds for the last words to a client that may take nothing
CONNECTIONS = 64  # requests that are answered at a time


def listen(port: int) -> socket.socket:
    """Open a port of the loopback interface, which no other machine reaches.

    Args:
        port (int): Its number, 0 for a free one.

    Returns:
        socket.socket: That listens.

    Raises:
        OSError: The port is in use, or may not be opened.
    """
    listener = socket.socket()
    if os.name != 'nt':  # there, the option would let two servers share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        reason = 'is in use' if error.errno == errno.EADDRINUSE else f'cannot be opened: {error.strerror}'
        raise OSError(f'port {port} {reason}; --port N takes another one, --port 0 one that is free') from error
    return listener


def build_server(live: LiveSignal, listener: socket.socket) -> uvicorn.Server:
    """Build the server of a signal; its ``run(sockets=[listener])`` serves until a signal of the system ends it.

    Args:
        live (LiveSignal): What pages watch.
        listener (socket.socket): From :func:`listen`.
    """
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        Guard(_build_app(live), port),
        loop='asyncio',
        http='h11',
        ws='websockets-sansio',
        lifespan='on',
        log_config=None,
        log_level=logging.CRITICAL,  # the guard says what goes wrong; what clients send wrongly is for them to hear
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=live.limits.bytes,
        ws_per_message_deflate=False,  # a small message cannot become a large one
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def _build_app(live: LiveSignal) -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await live.close()

    # No documents, whose scripts come from elsewhere, and no telemetry.
    quiet: Any = {'tracing': False, 'metrics': False, 'logs': False, 'auto_configure': False}
    app = FastAPI(openapi_url=None, lifespan=lifespan, telemetry=quiet)
    for path, (name, kind) in FILES.items():
        app.add_api_route(path, _file(name, kind))

    @app.websocket('/watch')
    async def watch(websocket: WebSocket) -> None:
        await _talk(websocket, _watch(websocket, live))

    @app.websocket('/push')
    async def push(websocket: WebSocket) -> None:
        await _talk(websocket, _take(websocket, live))

    return app


def _file(name: str, kind: str) -> Callable[[], Response]:
    content = (PAGE / name).read_bytes()
    return lambda: Response(content, media_type=kind)


async def _talk(websocket: WebSocket, conversation: Coroutine[Any, Any, None]) -> None:
    """Accept a connection, and close it with a sentence and a code where the conversation ends in a refusal."""
    try:
        await websocket.accept()
        await conversation
    except WebSocketDisconnect:
        return
    except RefusalError as error:
        reason = str(error).encode()[:REASON].decode(errors='ignore')
        with contextlib.suppress(WebSocketDisconnect, asyncio.TimeoutError):
            await asyncio.wait_for(websocket.send_text(json.dumps({'error': str(error)})), FAREWELL)
            await asyncio.wait_for(websocket.close(error.code, reason), FAREWELL)


async def _watch(websocket: WebSocket, live: LiveSignal) -> None:
    """Tell a page what happens, until either side ends."""
    await say(websocket.send_text, live.about())
    watching = asyncio.create_task(live.watch(websocket.send_text))
    listening = asyncio.create_task(websocket.receive())
    tasks = watching, listening
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
        if listening.result()['type'] == 'websocket.receive':
            raise RefusalError(FORBIDDEN, 'a page only watches; samples are taken at /push')
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _take(websocket: WebSocket, live: LiveSignal) -> None:
    """Take the samples of a client, and answer every message with the decisions that it completes."""
    async with live.pusher() as push:
        await say(websocket.send_text, live.about())
        pace = Pace(live.limits.messages)
        while True:
            message = await websocket.receive()
            if message['type'] == 'websocket.disconnect':
                return
            pace.count()
            content = read_message(message.get('text'), live.limits)
            try:
                rows = await push(*content.arrays(live.channels), content.end)
            except ValueError as error:
                raise RefusalError(WRONG, str(error)) from error
            await say(websocket.send_text, {'decisions': rows})
