"""What a run tells whoever has started it: which network learns, how far it is, and messages."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import mean

from mmkd_plugin.text import printable

__all__ = ['Progress', 'Reporter', 'current_reporter', 'use_reporter']

QUIET = 900.0  # seconds between two lines of a teacher, which has one at its end anyway


@dataclass(frozen=True)
class Progress:
    """How far a network is.

    Attributes:
        epoch (int): Epochs that are over.
        epochs (int): Epochs of the whole training.
        share (float): Iterations that are over, from 0 to 1.
        seconds_left (float): Expected.
        loss (float | None): Mean over the last epoch; None before the first.
        score (str): Last value on the validation split with its name, 'accuracy 71.30 %'; empty before the first.
        best (str): Likewise the best one.
    """

    epoch: int
    epochs: int
    share: float
    seconds_left: float
    loss: float | None = None
    score: str = ''
    best: str = ''


class Reporter:
    """Plain lines, for where there is no terminal: one per epoch of the network that a run is about, one per teacher.

    Args:
        verbose (bool): The host's log goes to the console, which says all of this itself.
    """

    def __init__(self, verbose: bool = False) -> None:
        self.verbose = verbose
        self.networks: tuple[str, ...] = ()
        self.network = ''
        self._durations: list[float] = []
        self._started = self._written = time.monotonic()

    def plan(self, lines: Sequence[str], networks: Sequence[str]) -> None:
        """Say what a run will do.

        Args:
            lines (Sequence[str]): Data, networks and terms.
            networks (Sequence[str]): All networks that learn, in that order.
        """
        self.networks, self._durations = tuple(networks), []
        for line in lines:
            self.write(line)

    def begin(self, network: str) -> None:
        """Say which network begins to learn."""
        self.network = network
        self._started = self._written = time.monotonic()

    def step(self, progress: Progress) -> None:
        """Take note of an iteration."""

    def epoch(self, progress: Progress) -> None:
        """Take note of an epoch and its validation."""
        now = time.monotonic()
        if not self.verbose and (self.network in self.networks[-1:] or now - self._written > QUIET):
            self._written = now
            self.write(f'{self.title}: {self.describe(progress)}')

    def end(self, progress: Progress) -> None:
        """Say what a network has come to."""
        seconds = time.monotonic() - self._started
        self._durations.append(seconds)
        if not self.verbose:
            best = f', best {progress.best} on validation' if progress.best else ''
            self.write(f'{self.title}: {progress.epoch} epoch{"" if progress.epoch == 1 else "s"} in {_clock(seconds)}{best}')

    def write(self, line: str) -> None:
        """Write a line for people."""
        sys.stdout.write(f'{printable(line)}\n')  # above a live line, rich would let it draw
        sys.stdout.flush()

    def warn(self, line: str) -> None:
        """Write a line that asks for attention."""
        self.write(f'warning: {line}')

    @property
    def title(self) -> str:
        """The network that learns, with its number among all of the run: '2/4 teacher gaf'."""
        name = printable(self.network, lines=False)
        if self.network not in self.networks:
            return name
        return f'{self.networks.index(self.network) + 1}/{len(self.networks)} {name}'

    def describe(self, progress: Progress, width: int | None = None) -> str:
        """Return epoch, loss, validation and the time that is left, of the network and of the whole run.

        Args:
            progress (Progress): How far the network is.
            width (int, optional): Characters there is room for. The loss is left out first, then the time of the whole run,
                then the validation.

        Returns:
            str: Without the network's title.
        """
        parts = dict(epoch=f'epoch {progress.epoch}/{progress.epochs}')
        if progress.loss is not None:
            parts['loss'] = f', loss {progress.loss:.3f}'
        if progress.score:
            parts['score'] = f', {progress.score}'
        if progress.share < 1:
            parts['left'] = f', {_clock(progress.seconds_left)} left'
        later = len(self.networks) - 1 - self.networks.index(self.network) if self.network in self.networks else 0
        if later and progress.share < 1:  # how long the others take is known only by those before
            expected = mean([*self._durations, time.monotonic() - self._started + progress.seconds_left])
            parts['all'] = f' (all {_clock(progress.seconds_left + later * expected)})'
        for name in ('loss', 'all', 'score'):
            if width is not None and len(''.join(parts.values())) > width:
                parts.pop(name, None)
        return ''.join(parts.values())


def _clock(seconds: float) -> str:
    text = str(timedelta(seconds=round(seconds)))
    return text.removeprefix('0:').removeprefix('0') if seconds < 3600 else text


_CURRENT = [Reporter()]


def current_reporter() -> Reporter:
    """Return the reporter of this process: plain lines, unless :func:`use_reporter` has set another."""
    return _CURRENT[-1]


@contextlib.contextmanager
def use_reporter(reporter: Reporter) -> Iterator[Reporter]:
    """Let runs report to another reporter inside a ``with`` block."""
    _CURRENT.append(reporter)
    try:
        yield reporter
    finally:
        _CURRENT.remove(reporter)
