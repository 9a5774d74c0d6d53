"""One trial: an operation that a fault strikes, made again until it ends, and held against one that nothing happened to."""

from __future__ import annotations

import random
import re
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .children import remaining
from .ends import End
from .faults import FAULTS, Fault
from .layer import Layer
from .operations import LIMIT, OPERATIONS, Bench, Operation
from .remains import differences, held_locks, leftovers, results_of

__all__ = ['Outcome', 'Place', 'covering', 'place_of', 'run_trial']

GRACE = 60.0  # seconds in which what a command has started has to end with it
TRIES = 3
LACKS_CACHE = re.compile(r'/teachers/cache/\S+ is missing$')
GO_ON = re.compile(r'(?m)^stopped; to go on: (.+)$')


@dataclass(frozen=True)
class Place:
    """Place of a trial in the schedule.

    Attributes:
        number (int): Of the trial.
        operation (str): By name.
        fault (str): By name.
        turn (int): How many trials of this operation and fault come before.
    """

    number: int
    operation: str
    fault: str
    turn: int


@dataclass(frozen=True)
class Outcome:
    """What has come of a trial.

    Attributes:
        place (Place): Of the trial.
        point (str): Where the fault has struck, in words; empty where this operation has no such point.
        reached (bool): Whether the fault has happened.
        code (int | None): Exit code of the command under the fault.
        faults (list[str]): What was lost; empty if the operation has survived.
        seconds (float): That the trial took.
    """

    place: Place
    point: str
    reached: bool
    code: int | None
    faults: list[str]
    seconds: float


def place_of(number: int, seed: int, operations: Sequence[str] = tuple(OPERATIONS)) -> Place:
    """Return which operation and which fault a trial is of; a round has each pair as often as the fault weighs.

    Args:
        number (int): Of the trial, from 0.
        seed (int): Of the schedule.
        operations (Sequence[str]): Names of all operations.
    """
    pairs = [(name, fault.name, k) for name in operations for fault in FAULTS.values() for k in range(fault.weight)]
    turn, index = divmod(number, len(pairs))
    order = random.Random(f'{seed} {turn}').sample(range(len(pairs)), len(pairs))
    operation, fault, k = pairs[order[index]]
    return Place(number, operation, fault, turn * FAULTS[fault].weight + k)


def covering(seed: int) -> list[int]:
    """Return the numbers of few trials that have every operation and every fault among them.

    Args:
        seed (int): Of the schedule.
    """
    numbers: list[int] = []
    tries, faults, number = dict.fromkeys(OPERATIONS, 0), FAULTS.keys() - {'own process'}, 0  # whose imports take long
    while faults:
        place = place_of(number, seed)
        if place.fault in faults and tries[place.operation] == min(tries.values()):
            numbers.append(number)
            faults.discard(place.fault)
            tries[place.operation] += 1
        number += 1
    return numbers


def run_trial(bench: Bench, place: Place, seed: int) -> Outcome:
    """Make a trial, and leave its folder as it is in the end.

    Args:
        bench (Bench): Where trials are made.
        place (Place): Which trial.
        seed (int): Of the schedule; points of a pair come in an order of their own, each once before any comes twice.
    """
    operation, fault = OPERATIONS[place.operation], FAULTS[place.fault]
    course = bench.course(operation)
    points = fault.points(operation, course)
    begun = time.monotonic()
    if not points or (fault.name == 'small disk' and not bench.mounts):
        return Outcome(place, '', False, 0, [], 0.0)
    lap, index = divmod(place.turn, len(points))
    order = random.Random(f'{seed} {place.operation} {place.fault} {lap}').sample(range(len(points)), len(points))
    point, draw = points[order[index]], random.Random(f'{seed} {place.number}')
    bench.back = 0
    bench.prepare(operation)
    end = fault.run(bench, operation, point, draw)
    faults = [*end.faults, *_after(bench, operation, fault, end, draw)]
    return Outcome(place, fault.describe(point, course), end.reached, end.code, faults, time.monotonic() - begun)


def _after(bench: Bench, operation: Operation, fault: Fault, end: End, draw: random.Random) -> Iterator[str]:
    """Yield what is wrong after the fault, and after the operation was made again."""
    expected = bench.course(operation).results
    if end.code is None:
        yield 'the command hangs'
    at_once = draw.random() < 0.3  # whoever is in a hurry does not wait for the last process to end
    yield from _processes(0.0 if at_once and end.code != 0 else GRACE, quiet=at_once and end.code != 0)
    results, unreadable = results_of(bench.here)
    yield from (f'half-written: {sentence}' for sentence in unreadable)
    if end.code == 0:
        apart = differences(expected, results)
        if _goes_without_cache(bench):
            apart = [sentence for sentence in apart if not LACKS_CACHE.search(sentence)]
        yield from (f'ended as if all were well: {sentence}' for sentence in apart)
    if end.code != 0 or (fault.killed and leftovers(bench.here)):
        yield from _go_on(bench, operation, end, draw)
        yield from _processes(GRACE)
        results, unreadable = results_of(bench.here)
        yield from (f'in the end, {sentence}' for sentence in [*unreadable, *differences(expected, results)])
    yield from (f'{name} is left' for name in leftovers(bench.here))
    yield from (f'a lock is held on {name}' for name in held_locks(bench.here))


def _goes_without_cache(bench: Bench) -> bool:
    """Return whether a command has said that it keeps no outputs of teachers, which it may where there is no place for them."""
    said = (path.read_text(errors='replace') for path in bench.output.glob('struck-*/stdout'))
    return any('teachers run in every step' in text for text in said)


def _processes(seconds: float, quiet: bool = False) -> list[str]:
    left = remaining(seconds)
    return [] if quiet or not left else [f'processes {left} are left']


def _go_on(bench: Bench, operation: Operation, end: End, draw: random.Random) -> Iterator[str]:
    """Call the commands that are left, as a user would: as the message says, again, or with ``--resume``."""
    begin = end.command if end.code != 0 else 0
    for index in range(begin, len(operation.commands)):
        words, text = operation.commands[index], end.text if index == end.command else ''
        for number in range(TRIES):
            child = bench.start(_next_words(words, text, draw), f'again-{index}-{number}', _set_back(bench))
            if child.wait(LIMIT) is None:
                child.kill()
                yield f'made again, {" ".join(words[:2])} hangs'
                return
            if child.code == 0:
                break
            yield f'made again, {" ".join(words[:2])} ends with {child.code}: {child.text[-1500:]}'
            text = child.text


def _next_words(words: tuple[str, ...], text: str, draw: random.Random) -> tuple[str, ...]:
    """Return the words of the command that follows on one that was stopped."""
    named = GO_ON.search(text)
    if named:
        said = shlex.split(named[1])
        return tuple(said[said.index(words[0]) :])
    return (*words, '--resume') if words[0] == 'train' and draw.random() < 0.7 else words


def _set_back(bench: Bench):
    if not bench.back:
        return lambda: None
    return Layer(bench.here, bench.output / 'again', back=bench.back).enter
