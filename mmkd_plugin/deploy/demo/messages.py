"""Messages of a client that pushes samples: their format, their limits, and how one is refused."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.datasets.readers.arrays import check_samples
from mmkd_plugin.structures import suggest

__all__ = ['MessageLimits', 'Pace', 'RefusalError', 'Samples', 'read_message']

# Codes with which a connection is closed, RFC 6455 section 7.4.1 and the registry of IANA.
BINARY, WRONG, FORBIDDEN, TOO_BIG, LATER = 1003, 1007, 1008, 1009, 1013
KEYS = ('samples', 'times', 'end')


@dataclass(frozen=True)
class MessageLimits:
    """What a demo takes at most.

    Attributes:
        bytes (int): Of a message.
        samples (int): Of a message.
        messages (int): In a second.
        pages (int): That watch at a time; one client may push beside them.
    """

    bytes: int = 256 * 1024
    samples: int = 4096
    messages: int = 200
    pages: int = 8


class RefusalError(ValueError):
    """What ends a connection.

    Attributes:
        code (int): With which it is closed.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Samples:
    """A message of a client.

    Attributes:
        samples (list): Rows of one number for each channel.
        times (list, optional): Seconds of each.
        end (bool): Whether the recording ends with them.
    """

    samples: list
    times: list | None
    end: bool

    def arrays(self, channels: Sequence[str]) -> tuple[NDArray, NDArray | None]:
        """Return samples ``(n, C)`` and times ``(n, )``.

        Args:
            channels (Sequence[str]): Names of the C channels.

        Raises:
            ValueError: Rows have another length than channels, or a value is NaN or infinite.
        """
        times = None if self.times is None else np.array(self.times)
        if not self.samples:
            return np.empty((0, len(channels)), np.float32), times
        return check_samples('the message', self.samples, channels), times


class Pace:
    """A count of the messages of the last second.

    Args:
        most (int): Messages in any second.
        clock (Callable): Gives seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds: deque[float] = deque(maxlen=most)
        self._clock = clock

    def count(self) -> None:
        """Count a message.

        Raises:
            RefusalError: There were too many.
        """
        now = self._clock()
        if len(self._seconds) == self._seconds.maxlen and now - self._seconds[0] < 1:
            most = self._seconds.maxlen
            raise RefusalError(FORBIDDEN, f'more than {most} messages in a second: put several samples into one message')
        self._seconds.append(now)


def read_message(text: str | None, limits: MessageLimits) -> Samples:
    """Read a message.

    Args:
        text (str, optional): JSON, an object of ``samples``, rows of one number for each channel, ``times`` in seconds, one for
            each row, and ``end``; all but one may be left out. None for a binary message.
        limits (MessageLimits): Of the demo.

    Raises:
        RefusalError: The message is of another form or beyond the limits.
    """
    if text is None:
        raise RefusalError(BINARY, 'the message is binary, expected JSON text')
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:  # of a number with thousands of digits, too
        raise RefusalError(WRONG, f'the message is no JSON: {error}') from error
    if not isinstance(message, dict) or not message:
        raise RefusalError(WRONG, f'the message is {_kind(message)}, expected an object of samples, times and end')
    unknown = [key for key in message if key not in KEYS]
    if unknown:
        question = suggest(unknown[0], KEYS)
        expected = f'expected samples, times or end{"; " if question else ""}{question}'
        raise RefusalError(WRONG, f'the message has the key {unknown[0][:40]!r}, {expected}')
    samples, times, end = message.get('samples', []), message.get('times'), message.get('end', False)
    if not isinstance(end, bool):
        raise RefusalError(WRONG, f'end is {_kind(end)}, expected true or false')
    if not isinstance(samples, list) or len(samples) > limits.samples:
        size = f'{len(samples):,} samples' if isinstance(samples, list) else _kind(samples)
        code = TOO_BIG if isinstance(samples, list) else WRONG
        raise RefusalError(code, f'the message has {size}, expected a list of {limits.samples:,} at most')
    for number, row in enumerate(samples):
        if not isinstance(row, list) or not all(type(value) in (int, float) for value in row):
            raise RefusalError(WRONG, f'sample {number} of the message is {_kind(row)}, expected one number for each channel')
    if times is not None and not (isinstance(times, list) and all(type(value) in (int, float) for value in times)):
        raise RefusalError(WRONG, f'times is {_kind(times)}, expected seconds, one for each sample')
    if times is not None and len(times) != len(samples):
        raise RefusalError(
            WRONG, f'the message has {len(times):,} times, expected one for each of its {len(samples):,} samples'
        )
    return Samples(samples, times, end)


def _kind(value: Any) -> str:
    """Return what a value is: what it holds may be long."""
    if isinstance(value, (dict, list)):
        return f'{"an object" if isinstance(value, dict) else "a list"} of {len(value):,}'
    text = json.dumps(value)
    return f'{text[:40]}{"…" if len(text) > 40 else ""}'
