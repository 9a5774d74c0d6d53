"""Faults that strike an operation: how many points each has, and how the operation ends under it."""

from __future__ import annotations

import contextlib
import math
import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .children import Child, descendants, give_up_rights, state_of
from .ends import End, judge_sentence, judge_signal
from .layer import WRITES, Layer, Strike
from .operations import LIMIT, Bench, Course, Operation

__all__ = ['FAULTS', 'Fault']

BLOCKED = 3.0  # seconds after which a second command that makes no progress is said to wait for the first


Points = Callable[[Operation, Course], list]
Run = Callable[[Bench, Operation, object, random.Random], End]


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        name (str): For the table.
        points (Callable): Gives, for an operation and its course, where the fault can strike.
        run (Callable): Lets the operation run under the fault, at one of the points.
        weight (int): Tries in a round of the schedule.
        describe (Callable): Gives a point in words.
        killed (bool): Whether nothing can be tidied up.
    """

    name: str
    points: Points
    run: Run
    weight: int = 1
    describe: Callable[[object, Course], str] = lambda point, course: str(point)
    killed: bool = False


def _through(
    bench: Bench, operation: Operation, prepare=lambda: None, meanwhile=None, hash_seed: int | None = None
) -> tuple[int, Child]:
    """Let the commands of an operation run up to the first that fails; return its number and itself."""
    child = None
    for number, words in enumerate(operation.commands):
        child = bench.start(words, f'struck-{number}', prepare, hash_seed)
        if meanwhile is not None:
            meanwhile(child)
        if child.wait(LIMIT) != 0:
            if child.code is None:
                child.kill()
                child.code = None
            break
    return number, child


def _events(operation: Operation, course: Course, kinds=None) -> list[tuple[int, str]]:
    points = []
    for number, (kind, _) in enumerate(course.events, 1):
        if kinds is None or kind in kinds:
            points += [(number, when) for when in ('before', 'half', 'after') if when != 'half' or kind == 'write']
    return points


def _describe_event(point, course: Course) -> str:
    number, when = point
    kind, path = course.events[number - 1]
    return f'{when} event {number} of {len(course.events)}: {kind} {path}'


def _strike(bench: Bench, operation: Operation, strike: Strike) -> End:
    layer = Layer(bench.here, bench.output / 'events', strike)
    number, child = _through(bench, operation, layer.enter)
    return End(number, child.code, child.text, layer.count >= strike.event)


def _signal(number: int) -> Run:
    """Return what sends a signal at an event: to the command, or, for a kill, to the process of it that the event is in."""

    def run(bench, operation, point, draw) -> End:
        whole = not (operation.forks and number == signal.SIGKILL) or draw.random() < 0.5
        end = _strike(bench, operation, Strike(*point, 'signal', number, whole))
        judge_signal(end, number)
        return end

    return run


def _at_random(bench: Bench, operation: Operation, point: object, draw: random.Random, hash_seed: int | None = None) -> End:
    """Send a signal after a while: a kill to any process of the command, another one to the command."""
    number = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    seconds, struck = draw.random() * bench.course(operation).seconds, []
    if hash_seed is not None:
        seconds += bench.imports  # meanwhile there is nothing to lose

    def meanwhile(child: Child) -> None:
        if struck or child.wait(seconds) is not None:
            return
        victims = [child.pid, *descendants(child.pid)] if number == signal.SIGKILL else [child.pid]
        with contextlib.suppress(ProcessLookupError):
            struck.append(draw.choice(victims))
            os.kill(struck[0], number)

    command, child = _through(bench, operation, meanwhile=meanwhile, hash_seed=hash_seed)
    end = End(command, child.code, child.text, bool(struck))
    judge_signal(end, number)
    return end


def _own_process(bench: Bench, operation: Operation, point: object, draw: random.Random) -> End:
    """Run in processes that are no forks and hash otherwise; every other try is left alone, and has to come to the same."""
    hash_seed = draw.randrange(1, 2**32)
    if draw.random() < 0.5:
        return _at_random(bench, operation, point, draw, hash_seed)
    number, child = _through(bench, operation, hash_seed=hash_seed)
    faults = [] if child.code == 0 else [f'by itself, the command ends with {child.code}: {child.text[-1500:]}']
    return End(number, child.code, child.text, faults=faults)


def _full(bench: Bench, operation: Operation, point, draw: random.Random) -> End:
    end = _strike(bench, operation, Strike(*point, 'full'))
    judge_sentence(end, 'No space left on device')
    return end


def _full_points(operation: Operation, course: Course) -> list:
    return [(number, when) for number, when in _events(operation, course, WRITES) if when != 'after']


def _small_disk(bench: Bench, operation: Operation, point, draw: random.Random) -> End:
    """Run on a disk that has room for a share of what the operation writes."""
    course = bench.course(operation)
    slack = 2**12 * (len(list(bench.start_of(operation).rglob('*'))) + 4)
    room = course.before + slack + int(draw.random() * (course.size - course.before + 2**16))
    bench.mount(operation, room)
    number, child = _through(bench, operation)
    end = End(number, child.code, child.text)
    subprocess.run(['mount', '-o', 'remount,size=1g', str(bench.here)], check=True)
    judge_sentence(end, 'No space left on device', 'MiB are free')  # numpy counts items, and gives no reason
    return end


def _read_only(bench: Bench, operation: Operation, point, draw: random.Random) -> End:
    """Let one of the folders be one that nobody may write to."""
    folder = bench.here / str(point)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o555)
    number, child = _through(bench, operation, give_up_rights)
    folder.chmod(0o755)
    for path in made:  # whoever makes the folder writable may as well remove it
        with contextlib.suppress(OSError):
            path.rmdir()
    end = End(number, child.code, child.text)
    judge_sentence(end, 'Permission denied', 'no permission in')
    return end


def _limit(which: int, value: Callable[[Course, random.Random], int], *reasons: str) -> Run:
    def run(bench, operation, point, draw) -> End:
        given = value(bench.course(operation), draw)

        def lower() -> None:
            give_up_rights()
            most = given + {resource.RLIMIT_NOFILE: _open_files, resource.RLIMIT_AS: _memory}.get(which, int)()
            resource.setrlimit(which, (most, most))

        number, child = _through(bench, operation, lower)
        end = End(number, child.code, child.text)
        if which == resource.RLIMIT_AS and child.code in (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS):
            return end  # compiled code that gets no memory ends the process
        judge_sentence(end, *reasons)
        return end

    return run


def _open_files() -> int:
    return max(map(int, os.listdir('/proc/self/fd')))


def _memory() -> int:
    return int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()


def _logarithmic(low: float, high: float, draw: random.Random) -> int:
    return int(math.exp(draw.uniform(math.log(low), math.log(max(high, low + 1)))))


def _clock(bench: Bench, operation: Operation, point, draw: random.Random) -> End:
    """Put the clock back at an event: within a run that goes on, or with a kill, so that the next command begins earlier."""
    back = draw.choice([1, 61, 3601, 86_400 * 40])
    if draw.random() < 0.5:
        end = _strike(bench, operation, Strike(*point, 'back', back))
        if end.code != 0:
            end.faults.append(f'a clock {back} s back ends the command with {end.code}: {end.text[-1500:]}')
        return end
    bench.back = back
    return _signal(signal.SIGKILL)(bench, operation, point, draw)


def _two(bench: Bench, operation: Operation, point, draw: random.Random) -> End:
    """Halt a command at an event, start it a second time meanwhile, and let the first one go on."""
    layer = Layer(bench.here, bench.output / 'events', Strike(*point, 'halt'))
    end = End(0, 0, '', False)
    for number, words in enumerate(operation.commands):
        first = bench.start(words, f'struck-{number}', layer.enter)
        halted = _halted(first)
        second = bench.start(words, f'second-{number}')
        if halted:
            end.reached = True
            second.wait(BLOCKED + bench.course(operation).seconds)
            with contextlib.suppress(ProcessLookupError):
                os.kill(halted, signal.SIGCONT)
        children = [first, second]
        for child in children:
            if child.wait(LIMIT) is None:
                child.kill()
                child.code = None
        for child in children:
            refused = child.code == 1 and 'in use by' in child.text
            if child.code != 0 and not refused:
                end.faults.append(f'of two at once, one ends with {child.code}: {child.text[-1500:]}')
        if all(child.code != 0 for child in children):
            end.faults.append('of two at once, both were refused')
    return end


def _halted(child: Child) -> int:
    """Wait until a command has halted itself, and return the process that has; 0 if the command ends before."""
    end = time.monotonic() + LIMIT
    while child.poll() is None and time.monotonic() < end:
        for process in (child.pid, *descendants(child.pid)):
            if state_of(process) == 'T':
                return process
        time.sleep(0.01)
    return 0


def _draws(operation: Operation, course: Course) -> list:
    """Return points of a fault that is drawn anew each time."""
    return list(range(10_000))


def _makes_files(operation: Operation, course: Course) -> list:
    return list(range(10_000)) if course.largest > 0 else []


MIB = 2**20
FAULTS = {
    fault.name: fault
    for fault in (
        Fault('SIGKILL', _events, _signal(signal.SIGKILL), 4, _describe_event, killed=True),
        Fault('SIGTERM', _events, _signal(signal.SIGTERM), 2, _describe_event),
        Fault('SIGINT', _events, _signal(signal.SIGINT), 2, _describe_event),
        Fault('at random', _draws, _at_random, 2, killed=True),
        Fault('own process', _draws, _own_process, killed=True),
        Fault('full disk', _full_points, _full, 3, _describe_event),
        Fault('small disk', _makes_files, _small_disk),
        Fault('read-only', lambda operation, course: course.folders, _read_only),
        Fault(
            'open files',
            _draws,
            _limit(resource.RLIMIT_NOFILE, lambda course, draw: draw.randint(1, 24), 'Too many open files'),
        ),
        Fault(
            'memory',
            _draws,
            _limit(resource.RLIMIT_AS, lambda course, draw: _logarithmic(MIB, 256 * MIB, draw), 'memory'),
        ),
        Fault(
            'file size',
            _makes_files,
            _limit(
                resource.RLIMIT_FSIZE,
                lambda course, draw: _logarithmic(4096, course.largest * 1.2, draw),
                'File too large',
                'MiB are free',
            ),
        ),
        Fault('clock', _events, _clock, 1, _describe_event, killed=True),
        Fault('two at once', _events, _two, 2, _describe_event),
    )
}
