"""The guard of a demo's server: only pages of its own origin, and programs of this machine, are answered."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mmengine.logging import print_log

__all__ = ['Guard']

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Guard:
    """An ASGI application around another one.

    A page of the web that a user visits could have its own name lead to 127.0.0.1 (DNS rebinding), or open a websocket to it
    from elsewhere. The first is known by the name that its browser sends as host, the second by the origin. Programs send no
    origin; those of this machine are trusted.

    Args:
        app (Callable): That is guarded.
        port (int): Of the server.
    """

    def __init__(self, app: Callable[[Any, Receive, Send], Awaitable[None]], port: int) -> None:
        self.app, self.port = app, port
        names = ('127.0.0.1', 'localhost')
        self.hosts = tuple(f'{name}:{port}' for name in names) + (names if port == 80 else ())  # browsers leave 80 out
        sockets = ' '.join(f'ws://{host}' for host in self.hosts)  # not every browser counts them among 'self'
        policy = (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' {sockets}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        self.headers = [
            (b'content-security-policy', policy.encode()),
            (b'x-content-type-options', b'nosniff'),
            (b'x-frame-options', b'DENY'),
            (b'cross-origin-resource-policy', b'same-origin'),
            (b'cross-origin-opener-policy', b'same-origin'),
            (b'referrer-policy', b'no-referrer'),
            (b'cache-control', b'no-store'),
        ]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with 403."""
        if scope['type'] == 'lifespan':
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message['type'] in ('http.response.start', 'websocket.http.response.start', 'websocket.accept'):
                message['headers'] = [*message.get('headers', ()), *self.headers]
            await send(message)

        fault = self.fault(scope)
        if fault:
            await _refuse(scope, answer, fault)
            return
        try:
            await self.app(scope, receive, answer)
        except Exception:
            print_log(f'this is a fault of mmkd_plugin: please report it\n{traceback.format_exc()}', 'current', logging.ERROR)
            raise

    def fault(self, scope: Message) -> str:
        """Return what is wrong with host or origin of a request; empty where nothing is."""
        named: dict[bytes, list[str]] = {b'host': [], b'origin': []}
        for name, value in scope['headers']:
            named.get(name.lower(), []).append(value.decode('latin-1').lower())
        hosts, origins = named.values()
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return f'host {", ".join(hosts) or "none"} is not answered, only {" and ".join(self.hosts)}'
        if origins and origins != [f'http://{hosts[0]}']:
            return f'origin {", ".join(origins)} is not answered, only http://{hosts[0]}'
        return ''


async def _refuse(scope: Message, answer: Send, fault: str) -> None:
    kind = 'http.response' if scope['type'] == 'http' else 'websocket.http.response'
    if scope['type'] == 'websocket' and kind not in scope.get('extensions', {}):
        await answer({'type': 'websocket.close', 'code': 1008})  # 403, without a sentence
        return
    content = f'{fault}\n'.encode()
    headers = []  # of a websocket's refusal, servers write these themselves
    if scope['type'] == 'http':
        headers = [(b'content-type', b'text/plain; charset=utf-8'), (b'content-length', str(len(content)).encode())]
    await answer({'type': f'{kind}.start', 'status': 403, 'headers': headers})
    await answer({'type': f'{kind}.body', 'body': content})
