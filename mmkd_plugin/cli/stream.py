"""``mmkd stream``: a recording replayed, and what an exported student decides meanwhile."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mmkd_plugin.text import printable

if TYPE_CHECKING:
    from mmkd_plugin.deploy import StreamingInferencer
    from mmkd_plugin.deploy.inputs import Source

__all__ = ['OPTIONS', 'add_arguments', 'add_stream_arguments', 'run']

OPTIONS = ('hop', 'vote', 'threshold', 'hold', 'minimum')  # of a stream, beside the rate
BAR = 20  # columns of a probability of 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('checkpoint', help='exported student, <work_dir>/student_best.pth')
    parser.add_argument('recording', help='CSV, Parquet, .npy or .npz, or a folder that recordings.yml or a reader describes')
    add_stream_arguments(parser)


def add_stream_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a replay and of the decisions meanwhile."""
    parser.add_argument(
        '--speed', type=_speed, default=1.0, metavar='X', help='times as fast as it was recorded, or max; 1 by default'
    )
    parser.add_argument(
        '--rate', type=float, metavar='HZ', help="of the recording; by default what it tells, else the student's"
    )
    parser.add_argument(
        '--hop', type=int, metavar='N', help="samples from the start of a window to that of the next; the student's by default"
    )
    parser.add_argument('--vote', choices=['mean'], help='average the probabilities of windows that overlap')
    parser.add_argument(
        '--threshold', type=float, default=0.0, metavar='P', help='probability that a class needs to take the place of another'
    )
    parser.add_argument(
        '--hold', type=int, default=1, metavar='K', help='decisions in a row that must have the other class first; 1 by default'
    )
    parser.add_argument(
        '--minimum', type=float, default=0.0, metavar='SECONDS', help='time for which a class stays at least; 0 by default'
    )


def run(args: argparse.Namespace) -> None:
    """Replay, and write the decisions: a live line on a terminal, a line for each elsewhere."""
    from mmkd_plugin.deploy import load_student
    from mmkd_plugin.deploy.replay import open_recording

    from .console import warnings_on_stderr

    with warnings_on_stderr():
        options = {name: getattr(args, name) for name in OPTIONS}
        opened = open_recording(load_student(args.checkpoint), args.recording, args.rate, **options)
        with _writing() as write:
            for stream, source in opened:
                for row in _replay(stream, source, args.speed):
                    write(row, len(opened) > 1)


def _replay(stream: StreamingInferencer, source: Source, speed: float) -> Iterator[dict]:
    """Push the recordings of a source, each sample when it is due; time between recordings is not waited for."""
    from mmkd_plugin.deploy.replay import pieces_in_time

    for name, samples, begin in source.recordings:
        stream.begin(name, begin)
        started = time.monotonic()
        for piece, due in pieces_in_time(samples, source.rate, speed):
            time.sleep(max(0.0, started + due - time.monotonic()))
            yield from stream.push(piece)
        yield from stream.end()


@contextlib.contextmanager
def _writing() -> Iterator[Callable[[dict, bool], None]]:
    """Give what shows a decision: on a terminal in one line, above which every change of the class stays."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield lambda row, named: print(_line(row, named), flush=True)
        return
    with Live(console=console, transient=True) as live:
        before: list[tuple] = []

        def show(row: dict, named: bool) -> None:
            state = row['source'], row['recording'], row['class']
            if before[-1:] != [state]:
                before[:] = [state]
                live.console.print(Text(_line(row, named)), no_wrap=True, overflow='ellipsis')
            bar = '█' * round(BAR * row['probability'])
            live.update(Text(f'{_line(row, named)}  {bar}', no_wrap=True, overflow='ellipsis'))

        yield show


def _line(row: dict, named: bool) -> str:
    name = ' '.join(part for part in (row['source'] if named else '', row['recording']) if part)
    line = f'{f"{name}  " if name else ""}{row["start"]:.2f} s  {row["end"]:.2f} s  {row["class"]}  {row["probability"]:.1%}'
    return printable(line, lines=False)


def _speed(text: str) -> float:
    with contextlib.suppress(ValueError):
        speed = math.inf if text == 'max' else float(text)
        if speed > 0:
            return speed
    raise argparse.ArgumentTypeError(f'{text!r} is neither a number above 0 nor max')
