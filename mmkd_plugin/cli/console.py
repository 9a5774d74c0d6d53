"""The terminal of a command: a live line per network, or plain lines where nobody watches."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import rich
from mmengine.logging import MMLogger
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from mmkd_plugin.engine import Progress as NetworkProgress
from mmkd_plugin.engine import Reporter, show_log_by_reporter, use_reporter
from mmkd_plugin.text import printable

__all__ = ['LiveReporter', 'reporting', 'warnings_on_stderr']

BAR = 20  # columns of the bar
WIDE = 110  # columns of a terminal that has room for a bar beside the words


class LiveReporter(Reporter):
    """One live line per network on a terminal; what is written meanwhile appears above them.

    Args:
        console (Console): The terminal.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        words = TextColumn('{task.description}  {task.fields[state]}', markup=False, table_column=Column(no_wrap=True))
        bar = [BarColumn(bar_width=BAR)] if console.width >= WIDE else []
        self.display = Progress(*bar, words, console=console, transient=True)  # nothing stays where the line was
        self._task: TaskID | None = None

    def begin(self, network: str) -> None:
        """Add the line of a network, which takes the place of the line before."""
        super().begin(network)
        self.display.start()
        self._task = self.display.add_task(self.title, total=1.0, state='')

    def step(self, progress: NetworkProgress) -> None:
        """Move the line; how often it is drawn is the display's affair."""
        if self._task is not None:
            columns = self.display.console.width  # now: a window may have been resized
            room = columns - len(f'{self.title}  ') - (BAR + 1 if len(self.display.columns) > 1 else 0)
            self.display.update(self._task, completed=progress.share, state=self.describe(progress, room))

    def epoch(self, progress: NetworkProgress) -> None:
        """Show the epoch's validation."""
        self.step(progress)

    def end(self, progress: NetworkProgress) -> None:
        """Take the line away, and leave what the network has come to."""
        self.display.stop()  # while the line is there: the height of an empty display is not erased
        if self._task is not None:
            self.display.remove_task(self._task)
            self._task = None
        super().end(progress)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self.display.stop()


@contextlib.contextmanager
def reporting(verbose: bool = False) -> Iterator[None]:
    """Let what a command does be reported on this process's standard output.

    Args:
        verbose (bool): Show the host's whole log instead.
    """
    console = Console(file=sys.stdout, highlight=False)
    live = console.is_terminal and not console.is_dumb_terminal and not verbose
    with use_reporter(LiveReporter(console) if live else Reporter(verbose)) as reporter:
        show_log_by_reporter(MMLogger.get_current_instance())
        try:
            yield
        finally:
            if isinstance(reporter, LiveReporter):
                reporter.close()


class _ErrorReporter(Reporter):
    """Plain lines on the standard error."""

    def write(self, line: str) -> None:
        sys.stderr.write(f'{printable(line)}\n')
        sys.stderr.flush()


@contextlib.contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Keep the standard output for decisions: another program may read them."""
    rich.reconfigure(file=Console(file=sys.stdout).file)  # the host's progress bar draws, so that its output is no text
    try:
        with use_reporter(_ErrorReporter()):
            show_log_by_reporter(MMLogger.get_current_instance())
            yield
    finally:
        rich.reconfigure()
