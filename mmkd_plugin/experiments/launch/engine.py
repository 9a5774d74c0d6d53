"""What the scheduler of a sweep asks of an engine, which makes runs and teachers somewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..runs import Task

__all__ = ['ENDED', 'Engine', 'Event', 'check_counts', 'number_of']

ENDED = ('finished', 'failed')  # kinds of events that end a task


@dataclass(frozen=True)
class Event:
    """What has become of a task.

    Attributes:
        key (str): Of the task.
        kind (str): 'training' (steps are made, so that outputs of teachers are kept), 'progress', 'validated' (an epoch and its
            validation are over), 'finished' or 'failed'; the last two end the task.
        facts (Mapping): Of 'progress' ``share``, from 0 to 1, and ``state``, in words; of 'finished' ``seconds`` and, of a run,
            ``val``, its metrics on validation; of 'failed' ``reason``, in a sentence, and ``again``, whether another try
            may succeed.
    """

    key: str
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """Makes tasks side by side. Everything that it does between two calls comes out of :meth:`poll`."""

    @property
    def description(self) -> str:
        """Where and how tasks are made, in a line."""

    @property
    def threads(self) -> int:
        """Threads of a run."""

    @property
    def slots(self) -> int:
        """How many tasks are made at once."""

    @property
    def free(self) -> int:
        """How many tasks could be begun now."""

    def submit(self, task: Task) -> None:
        """Begin a task."""

    def poll(self, seconds: float) -> list[Event]:
        """Return what has happened, waiting for it so long at most."""

    def close(self) -> None:
        """End everything; what is being made gets the time to keep what it has."""


def number_of(count: int, name: str) -> str:
    """Return a number of things: ``'1 run'``, ``'2 runs'``."""
    return f'{count} {name}{"" if count == 1 else "s"}'


def check_counts(**counts: int | None) -> None:
    """Refuse counts below 1.

    Args:
        **counts (int | None): By the names of their options; None where one was not given.

    Raises:
        ValueError: A count is below 1.
    """
    for name, value in counts.items():
        if value is not None and value < 1:
            raise ValueError(f'--{name.replace("_", "-")} must be at least 1, got {value}')
