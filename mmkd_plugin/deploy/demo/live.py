"""The one live signal of a demo: where its samples come from, and the pages that watch."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from numpy.typing import NDArray

from mmkd_plugin.datasets.names import list_names

from ..inputs import Source
from ..replay import pieces_in_time
from ..streaming import StreamingInferencer
from ..student import Student
from .messages import FORBIDDEN, LATER, MessageLimits, RefusalError
from .pictures import CHANNELS, Pictures

__all__ = ['LiveSignal', 'Send', 'say']

PIECE = 256  # samples after which pages hear of what was decided
FRAME = 0.1  # seconds between two messages to a page
KEPT = 200  # last decisions, which a page that is opened later gets too
WAITING = 1000  # decisions that wait for a slow page; beyond, the samples wait
PATIENCE = 10.0  # seconds in which a page or a client must take a message
Send = Callable[[str], Awaitable[None]]


@dataclass(eq=False)
class _Page:
    """What has not been sent to a page; None among the decisions stands for a signal that begins."""

    waiting: list[dict | None]
    news: asyncio.Event = field(default_factory=asyncio.Event)


async def say(send: Send, message: dict) -> None:
    """Send a message.

    Raises:
        RefusalError: Nobody takes it.
    """
    try:
        await asyncio.wait_for(send(json.dumps(message)), PATIENCE)
    except asyncio.TimeoutError as error:
        raise RefusalError(LATER, f'nothing was taken for {PATIENCE:g} s') from error


class LiveSignal:
    """A signal on which a student decides while samples come, and that pages watch.

    Every decision reaches every page, in order. Pictures show the last samples, ten times a second at most; a page that is slow
    gets fewer. Memory is bounded: where 1,000 decisions wait for a page, the samples wait too, and a page that takes nothing
    for 10 s is disconnected.

    Args:
        student (Student): That decides.
        replay (Sequence[tuple[StreamingInferencer, Source]]): Recordings, from
            :func:`~mmkd_plugin.deploy.replay.open_recording`; without one, a client pushes samples. A replay begins with the
            first page, and again with the first that is opened after its end.
        speed (float): Times as fast as it was recorded.
        limits (MessageLimits, optional): Of messages and pages.
        **options (Any): Of the stream of pushed samples, see :class:`~mmkd_plugin.deploy.StreamingInferencer`.

    Attributes:
        limits (MessageLimits): Of messages and pages.
        channels (tuple[str, ...]): Names of the C channels.
    """

    def __init__(
        self,
        student: Student,
        replay: Sequence[tuple[StreamingInferencer, Source]] = (),
        speed: float = 1.0,
        limits: MessageLimits | None = None,
        **options: Any,
    ) -> None:
        self.limits = limits or MessageLimits()
        self.channels = student.contract.channels
        self._replay, self._speed = replay, speed
        self._open = lambda: StreamingInferencer(student, **options)
        self._pictures = Pictures(student)
        self._pages: set[_Page] = set()
        self._recent: deque[dict] = deque(maxlen=KEPT)
        self._count = 0  # of all decisions of the signal
        self._state = '' if replay else 'waits for samples'
        self._last: tuple[float, NDArray] | None = None  # samples to be drawn
        self._drawn: tuple[Any, dict] = (None, {})
        self._drawing = asyncio.Lock()
        self._pushing = False
        self._player: asyncio.Task | None = None
        contract, rate = student.contract, self._open().rate
        self._about = {
            'classes': contract.classes,
            'channels': contract.channels,
            'units': contract.units,
            'rate': rate,
            'student_rate': contract.rate,
            'window': contract.window,
            'seconds': contract.window / contract.rate,
            'reads': self._pictures.reads,
            'views': self._pictures.facts,
            'drawn': min(CHANNELS, len(contract.channels)),
            'pushed': not replay,
            'limits': asdict(self.limits),
        }

    def about(self) -> dict:
        """Return the first message of every connection: student, views and limits."""
        return {'about': self._about}

    async def watch(self, send: Send) -> None:
        """Send to a page what happens, until the task is cancelled.

        Args:
            send (Callable): Takes a text, and returns when there is room for another one.

        Raises:
            RefusalError: There are too many pages, or this one is too slow.
        """
        if len(self._pages) >= self.limits.pages:
            raise RefusalError(LATER, f'no more than {self.limits.pages} page(s) may watch at a time')
        if self._replay and (self._player is None or self._player.done()):
            speed = 'as fast as the student decides' if math.isinf(self._speed) else f'at {self._speed:g} times its speed'
            self._begin(f'replays {self._names()} {speed}')
            self._player = asyncio.create_task(self._play())
        page, skipped, drawn = _Page([*self._recent]), self._count - len(self._recent), None
        self._pages.add(page)
        try:
            while True:
                rows, page.waiting = page.waiting, []
                message: dict[str, Any] = {'state': self._state, 'decisions': rows, 'skipped': skipped}
                if self._last is not drawn:
                    drawn, message['frame'] = await self._draw()
                await say(send, message)
                skipped = 0
                await asyncio.sleep(FRAME)
                await page.news.wait()
                page.news.clear()
        finally:
            self._pages.discard(page)

    @contextlib.asynccontextmanager
    async def pusher(self) -> AsyncIterator[Callable[[NDArray, NDArray | None, bool], Awaitable[list[dict]]]]:
        """Give a client what takes samples ``(n, C)``, times ``(n, )`` and whether the recording ends, and returns decisions.

        Raises:
            RefusalError: A recording is replayed, or another client pushes.
        """
        if self._replay:
            raise RefusalError(FORBIDDEN, 'the demo replays a recording; samples are taken where it was started without one')
        if self._pushing:
            raise RefusalError(LATER, 'another client pushes samples')
        self._pushing, stream = True, self._open()
        self._begin('receives samples')

        async def push(samples: NDArray, times: NDArray | None, end: bool) -> list[dict]:
            rows = await self._push(stream, samples, times)
            return rows + await self._end(stream) if end else rows

        try:
            yield push
        finally:
            try:
                with contextlib.suppress(ValueError):  # a clock that was refused
                    await self._end(stream)
            finally:
                self._pushing = False
                self._change('waits for samples')

    async def close(self) -> None:
        """Stop the replay."""
        if self._player is not None:
            self._player.cancel()
            await asyncio.gather(self._player, return_exceptions=True)

    async def _play(self) -> None:
        """Replay every recording, each sample when it is due."""
        loop = asyncio.get_running_loop()
        for stream, source in self._replay:
            for name, samples, begin in source.recordings:
                stream.begin(name, begin)
                started = loop.time()
                for piece, due in pieces_in_time(samples, source.rate, self._speed):
                    await asyncio.sleep(started + due - loop.time())
                    await self._push(stream, piece, None)
                await self._end(stream)
        self._change(f'has replayed {self._names()}; a page that is opened or reloaded begins it again')

    def _names(self) -> str:
        return list_names([source.name for _, source in self._replay])

    async def _push(self, stream: StreamingInferencer, samples: NDArray, times: NDArray | None) -> list[dict]:
        """Take samples, in pieces so that nobody waits for long; return the decisions."""
        rows: list[dict] = []
        for first in range(0, len(samples), PIECE):
            piece = slice(first, first + PIECE)
            stamps = None if times is None else times[piece]
            more = list(map(_plain, await asyncio.to_thread(stream.push, samples[piece], stamps)))
            self._last = stream.latest()
            await self._publish(more)
            rows += more
        return rows

    async def _end(self, stream: StreamingInferencer) -> list[dict]:
        rows = list(map(_plain, await asyncio.to_thread(stream.end)))
        await self._publish(rows)
        return rows

    async def _publish(self, rows: Sequence[dict]) -> None:
        """Give decisions to all pages, and wait where one of them has too many to take."""
        self._recent.extend(rows)
        self._count += len(rows)
        for page in self._pages:
            page.waiting += rows
            page.news.set()
        while any(len(page.waiting) > WAITING for page in self._pages):
            await asyncio.sleep(FRAME / 2)

    def _begin(self, state: str) -> None:
        """Forget the decisions of the signal before."""
        self._recent.clear()
        self._count = 0
        for page in self._pages:
            page.waiting.append(None)
        self._change(state)

    def _change(self, state: str) -> None:
        self._state = state
        for page in self._pages:
            page.news.set()

    async def _draw(self) -> tuple[Any, dict]:
        """Return the samples that are drawn and their pictures, which are made once for all pages."""
        async with self._drawing:
            last = self._last
            if last is not None and self._drawn[0] is not last:
                self._drawn = last, await asyncio.to_thread(self._pictures.draw, *last)
            return self._drawn


def _plain(row: dict) -> dict:
    """Return a decision as JSON has it: a student may give NaN to values that nobody has measured, and JSON has none."""
    shares = {name: value if math.isfinite(value) else None for name, value in row['probabilities'].items()}
    return {**row, 'probability': shares[row['class']], 'probabilities': shares}
