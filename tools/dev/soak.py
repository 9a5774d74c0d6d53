"""Soak: commands are killed, starved and crowded for hours, by a schedule that a seed decides, and nothing may be lost.

    python tools/dev/soak.py --hours 2 --seed 0               # goes on where it was stopped, until the hours are full
    python tools/dev/soak.py --seed 0 --only train,clock      # of operations and faults, those alone
    python tools/dev/soak.py --seed 0 --replay 137            # one trial again; what it leaves is kept
    python tools/dev/soak.py --short
    python tools/dev/soak.py --list

A trial lets an operation run under a fault, makes it again as its message says, and holds what it leaves against what the
operation leaves when nothing happens. The journal in the folder has a line for each trial.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# Read when torch is loaded. What is compared bit for bit has one thread, and no GPU.
os.environ.update(OMP_NUM_THREADS='1', OMP_WAIT_POLICY='PASSIVE', CUDA_VISIBLE_DEVICES='')

from soaking.children import adopt_orphans, end_all, import_all
from soaking.faults import FAULTS
from soaking.operations import OPERATIONS, Bench
from soaking.trials import Outcome, covering, place_of, run_trial

IDLE = 100  # tries in a row that cannot be made, after which none can


def main(argv: Sequence[str] | None = None) -> int:
    """Make trials until the time is over, and print the table; return 1 if anything was lost."""
    args = _parse(argv)
    if args.list:
        print('operations:', ', '.join(OPERATIONS))
        print('faults:', ', '.join(FAULTS))
        return 0
    folder = Path(args.folder or f'work_dirs/soak/seed_{args.seed}').absolute()
    for name in ('starts', 'ends'):  # of the code as it was
        shutil.rmtree(folder / name, ignore_errors=True)
    begun = time.monotonic()
    import_all()
    bench = Bench(folder, time.monotonic() - begun)
    adopt_orphans()
    if args.replay is not None:
        outcome = run_trial(bench, place_of(args.replay, args.seed), args.seed)
        kept = bench.keep(args.replay)
        bench.unmount()
        print('\n'.join([_line(outcome), *outcome.faults, f'kept: {kept}']))
        return bool(outcome.faults)
    journal = folder / 'journal.jsonl'
    done = _read(journal, args)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell lets its background ignore Ctrl-C
        signal.signal(number, _stop)
    try:
        _soak(bench, args, journal, done)
    except KeyboardInterrupt as stop:
        print(f'stopped by {stop}; the same command goes on')
    finally:
        end_all()
        bench.unmount()
    print(_table(done, bench))
    return any(entry['faults'] for entry in done)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0], allow_abbrev=False)
    parser.add_argument('--hours', type=float, default=2.0, help='of all trials in the journal together (2)')
    parser.add_argument('--trials', type=int, help='end after so many')
    parser.add_argument('--short', action='store_true', help='few trials, with every operation and every fault among them')
    parser.add_argument('--seed', type=int, default=0, help='of the schedule (0)')
    parser.add_argument('--only', type=lambda text: text.split(','), default=[], help='operations and faults, by name')
    parser.add_argument('--from', type=int, dest='begin', help='number of the first trial; after the last one in the journal')
    parser.add_argument('--replay', type=int, metavar='NUMBER', help='make one trial again')
    parser.add_argument('--folder', help='of the journal and of what was lost; work_dirs/soak/seed_<seed>')
    parser.add_argument('--list', action='store_true', help='name operations and faults')
    args = parser.parse_args(argv)
    for name in args.only:
        if name not in {*OPERATIONS, *FAULTS}:
            parser.error(f'--only: there is no {name!r}; --list names all')
    return args


def _read(journal: Path, args: argparse.Namespace) -> list[dict]:
    """Return what the journal has of this schedule; a line that a kill has torn is made again."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    entries = []
    for line in journal.read_text().splitlines() if journal.is_file() else ():
        with contextlib.suppress(ValueError):
            entries.append(json.loads(line))
    return [entry for entry in entries if entry['seed'] == args.seed]


def _soak(bench: Bench, args: argparse.Namespace, journal: Path, done: list[dict]) -> None:
    """Make one trial after another, and write each down."""
    begin = args.begin if args.begin is not None else max((entry['number'] for entry in done), default=-1) + 1
    operations, faults = _chosen(args.only, OPERATIONS), _chosen(args.only, FAULTS)
    spent, made, idle = sum(entry['seconds'] for entry in done), 0, 0
    for number in covering(args.seed) if args.short else itertools.count(begin):
        if spent >= 3600 * args.hours or made == args.trials:
            return
        place = place_of(number, args.seed)
        if place.operation not in operations or place.fault not in faults:
            continue
        outcome = run_trial(bench, place, args.seed)
        made, spent = made + 1, spent + outcome.seconds
        idle = 0 if outcome.seconds else idle + 1
        if idle == IDLE:
            raise SystemExit(f'nothing of what was chosen can be tried here: {", ".join(args.only)}')
        if outcome.faults:
            bench.keep(place.number)
        bench.unmount()
        entry = {'seed': args.seed, **vars(place), 'point': outcome.point, 'reached': outcome.reached, 'code': outcome.code}
        done.append({**entry, 'faults': outcome.faults, 'seconds': round(outcome.seconds, 2)})
        with open(journal, 'a') as file:
            file.write(json.dumps(done[-1]) + '\n')
        print('\n'.join([_line(outcome), *(f'    {fault}' for fault in outcome.faults)]), flush=True)


def _chosen(only: Sequence[str], names) -> list[str]:
    return [name for name in names if name in only] or list(names)


def _line(outcome: Outcome) -> str:
    place = outcome.place
    state = 'LOST' if outcome.faults else 'survived' if outcome.reached else 'not reached'
    where = f', {outcome.point}' if outcome.point else ''
    end = f'{state}, after exit code {outcome.code}, {outcome.seconds:.1f} s'
    return f'{place.number:5}  {place.operation}: {place.fault}{where}: {end}'


def _table(done: Sequence[dict], bench: Bench) -> str:
    """Return tries by operation and fault, and how many of them were lost, with what they were made on."""
    head = ['fault', *OPERATIONS, 'all']
    rows = [head, ['---', *['---:'] * (len(head) - 1)]]
    for fault in (*FAULTS, 'all'):
        entries = [entry for entry in done if fault in (entry['fault'], 'all') and entry['seconds']]
        cells = [[entry for entry in entries if name in (entry['operation'], 'all')] for name in head[1:]]
        rows.append([fault, *map(_cell, cells)])
    tries = [entry for entry in done if entry['seconds']]
    lost = [entry['number'] for entry in tries if entry['faults']]
    points = len({(entry['operation'], entry['fault'], entry['point']) for entry in tries})
    lines = [f'| {" | ".join(row)} |' for row in rows]
    lines += ['', f'tries {len(tries)}, survived {len(tries) - len(lost)}, lost {len(lost)}; {points} different points']
    lines.append(f'{sum(not entry["reached"] for entry in tries)} commands had ended before the fault came')
    lines += [f'lost: {", ".join(map(str, lost))}; {bench.folder / "lost"} has their folders'] if lost else []
    lines += [] if bench.mounts else ['no disk can be mounted here: there was no small one']
    hours = sum(entry['seconds'] for entry in tries) / 3600
    return '\n'.join([*lines, f'{hours:.2f} hours; {_stack()}'])


def _cell(entries: Sequence[dict]) -> str:
    lost = sum(bool(entry['faults']) for entry in entries)
    return f'{len(entries)}, {lost} lost' if lost else str(len(entries) or '-')


def _stack() -> str:
    import torch

    commit = subprocess.run(
        ['git', 'rev-parse', '--short', 'HEAD'], capture_output=True, text=True, cwd=Path(__file__).parent
    ).stdout.strip()
    return f'commit {commit}, Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores'


if __name__ == '__main__':
    sys.exit(main())
