"""What a sweep shows of itself: one live display on a terminal, a line for every finished run elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from mmkd_plugin.text import printable

if TYPE_CHECKING:
    from rich.console import Console, Group

__all__ = ['Display', 'LiveDisplay', 'State', 'clock']

ROWS = 12  # tasks that are shown at once; the others are counted
BAR = 20  # columns


@dataclass(frozen=True)
class State:
    """How far a sweep is.

    Attributes:
        total (int): Runs, and teachers that have to be trained.
        done (int): Those that have come to their end, earlier or now.
        failed (int): Those that have failed for good.
        running (Mapping): Share from 0 to 1 and state in words, by title.
        per_hour (float | None): Rate since the start; None before the first has finished.
        seconds_left (float | None): Expected; likewise.
        best (str): The best so far on validation; empty before the first.
        kind (str): What is counted, if not runs: ``' trials'``.
    """

    total: int
    done: int
    failed: int
    running: Mapping[str, tuple[float, str]]
    per_hour: float | None = None
    seconds_left: float | None = None
    best: str = ''
    kind: str = ''

    @property
    def summary(self) -> str:
        """All but what is running, in a line."""
        parts = [f'{self.done} of {self.total}{self.kind} done', f'{len(self.running)} running', f'{self.failed} failed']
        if self.per_hour is not None and self.seconds_left is not None:
            parts += [f'{self.per_hour:.0f} per hour', f'{clock(self.seconds_left)} left']
        return ', '.join(parts) + (f'; best on validation: {self.best}' if self.best else '')


def clock(seconds: float) -> str:
    """Return a duration in words for people: ``'25 s'``, ``'12 min'``, ``'3.5 h'``."""
    if seconds < 90:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} min' if seconds < 5400 else f'{seconds / 3600:.1f} h'


class Display:
    """Lines, for where nobody watches.

    Args:
        stream (TextIO, optional): Where lines go; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream

    def say(self, line: str) -> None:
        """Write a line."""
        self.stream.write(f'{printable(line)}\n')
        self.stream.flush()

    def show(self, state: State) -> None:
        """Take note of how far the sweep is."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class LiveDisplay(Display):
    """What is running now, with a bar for each, and a line of all; lines appear above.

    Args:
        console (Console): The terminal.
    """

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        super().__init__()
        self.console = console
        self.live = Live(console=console, auto_refresh=False, transient=True)
        self.live.start()

    def say(self, line: str) -> None:
        """Write a line above the display."""
        self.console.print(printable(line), markup=False, highlight=False)

    def show(self, state: State) -> None:
        """Draw the display."""
        self.live.update(self.draw(state), refresh=True)

    def draw(self, state: State) -> Group:
        """Return what is drawn: a row for each task, and the summary."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1))
        table.add_column(width=BAR)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow='ellipsis')
        for title, (share, words) in list(state.running.items())[:ROWS]:
            table.add_row(
                ProgressBar(total=1.0, completed=share, width=BAR),
                *(Text(printable(text, lines=False)) for text in (words, title)),
            )
        hidden = len(state.running) - ROWS
        more = [Text(f'and {hidden} more')] if hidden > 0 else []
        return Group(table, *more, Text(printable(state.summary)))

    def close(self) -> None:
        """Take the display away."""
        self.live.stop()
