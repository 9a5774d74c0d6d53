"""Change the code of functions and transfers in one place at a time, and see whether a test fails.

    pip install -e ".[dev,test]" && python tools/dev/mutants.py      # Ctrl-C stops; the same command goes on
    python tools/dev/mutants.py --only functional/maps.py            # some files
    python tools/dev/mutants.py --again                              # survivors without a reason, when tests have been written
    python tools/dev/mutants.py --replay functional/maps.py:931+12:swap_op:0 # one again, with pytest's output
    python tools/dev/mutants.py --table --keep                       # counts and survivors; tests/mutants.txt keeps them

The operators are those of mutmut; of a text one change is made, and none within a raise or a list of exports. What leaves the
syntax tree as it was, but for docstrings and what type checkers alone read, is no change. The tests of a mutant are those of
its file and, if none of them fails, those of NEXT, which try all functions and transfers. Mutants are tried in an order that is
drawn once, so that those which are done are a sample of all.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random

import yaml

sys.path.append(str(Path(__file__).parent))

from mutant_code import ROOT, Mutant, files_of, groups_of, mutants_of, prepare, try_mutant

__all__ = ['KEPT', 'KILLED', 'KNOWN', 'read_known']

KILLED = ('test', 'time', 'end')  # results of a mutant that was noticed
LEAST = 90  # per cent
KNOWN = ROOT / 'tests' / 'survivors.yml'  # by file and change, why no test can notice it
KEPT = ROOT / 'tests' / 'mutants.txt'  # a line for each mutant that has been tried: its key and its result


@cache
def read_known() -> dict[str, dict[str, str]]:
    """Return the reasons of known survivors, by file and change."""
    return yaml.safe_load(KNOWN.read_text(encoding='utf-8')) if KNOWN.is_file() else {}


def _try_all(mutant: Mutant) -> tuple[str, str]:
    """Run the groups of tests until one notices the mutant."""
    for paths in groups_of(mutant.file):
        result, by = try_mutant(mutant.file, mutant.code, paths)
        if result != 'survived':
            return result, by
    return 'survived', ''


def _in_processes(mutants: Sequence[Mutant], workers: int) -> Iterator[tuple[Mutant, str, str]]:
    """Try mutants, so many at once; yield what has come of each as it ends."""
    waiting, running = list(reversed(mutants)), {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                mutant = waiting.pop()
                reading, writing = os.pipe()
                child = os.fork()
                if child == 0:
                    try:
                        os.setpgid(0, 0)  # with all that tests start
                        os.write(writing, json.dumps(_try_all(mutant)).encode())
                        os._exit(0)
                    finally:
                        os._exit(1)
                os.close(writing)
                running[child] = mutant, reading
            child, _ = os.waitpid(-1, 0)
            mutant, reading = running.pop(child)
            _end_group(child)
            with open(reading) as pipe:
                text = pipe.read()
            if text:
                yield mutant, *json.loads(text)
    finally:
        for child in running:
            _end_group(child)


def _end_group(number: int) -> None:
    """End what is left of a group of processes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(number, signal.SIGKILL)


def _check_baseline(files: Sequence[str]) -> None:
    """See that the tests pass without a change: one that fails would notice every mutant."""
    for paths in sorted({tuple(paths) for file in files for paths in groups_of(file)}):
        start = time.monotonic()
        result, by = try_mutant(files[0], None, paths)
        print(f'without a change: {" ".join(paths)}: {result} {by}, {time.monotonic() - start:.0f} s', flush=True)
        if result != 'survived':
            raise SystemExit(f'tests fail without a change: {by}')


def _table(mutants: Sequence[Mutant], done: Mapping[str, str]) -> str:
    counts: dict[str, Counter] = defaultdict(Counter)
    survivors = []
    for mutant in mutants:
        if mutant.key not in done:
            counts[mutant.file]['left'] += 1
            continue
        killed = done[mutant.key] in KILLED
        counts[mutant.file]['killed' if killed else 'survived'] += 1
        if not killed:
            reason = _reason(mutant) or 'NO REASON IS GIVEN'
            survivors.append(f'{mutant.name} (line {mutant.line}): {mutant.change}: {reason}')
    rows = ['| file | mutants | killed | survived | % |', '|---|---|---|---|---|']
    for file, count in {**counts, 'all': sum(counts.values(), Counter())}.items():
        tried = count['killed'] + count['survived']
        share = f'{100 * count["killed"] / tried:.1f}' if tried else '–'
        rows.append(f'| {file} | {tried + count["left"]} | {count["killed"]} | {count["survived"]} | {share} |')
    return '\n'.join([*rows, '', *survivors])


def _reason(mutant: Mutant) -> str | None:
    return read_known().get(mutant.file, {}).get(mutant.change)


def _read(journal: Path) -> dict[str, str]:
    """Return results by key: those that are kept, and then those of a journal."""
    kept = KEPT.read_text().splitlines() if KEPT.is_file() else []
    entries = [json.loads(line) for line in journal.read_text().splitlines()] if journal.is_file() else []
    return {**dict(line.split() for line in kept), **{entry['key']: entry['result'] for entry in entries}}


def _replay(name: str) -> int:
    mutant = next((mutant for mutant in mutants_of(name.partition(':')[0]) if mutant.name == name), None)
    if mutant is None:
        raise SystemExit(f'there is no mutant {name}')
    print(f'line {mutant.line}: {mutant.change}', flush=True)
    for paths in groups_of(mutant.file):
        result, by = try_mutant(mutant.file, mutant.code, paths, quiet=False)
        print(f'{result} {by}')
        if result != 'survived':
            break
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 1 where fewer than :data:`LEAST` per cent of the mutants were noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--only', nargs='+', default=[], metavar='FILE', help='parts of the names of files')
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--journal', type=Path, default=ROOT / 'work_dirs' / 'mutants.jsonl')
    parser.add_argument('--table', action='store_true', help='try none')
    parser.add_argument('--again', action='store_true', help='try those that have survived and have no reason')
    parser.add_argument('--keep', action='store_true', help=f'write what has been tried to {KEPT.relative_to(ROOT)}')
    parser.add_argument('--replay', metavar='NAME', help='try one again')
    args = parser.parse_args(arguments)
    if args.keep and args.only:
        parser.error('--keep writes what has been tried of all files: leave --only out')
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    if not args.table:
        prepare('pyts.image')  # half a minute, since it compiles
    if args.replay:
        return _replay(args.replay)
    mutants = [mutant for file in files_of(args.only) for mutant in mutants_of(file)]
    done = _read(args.journal)
    wanted = ('survived',) if args.again else (None,)
    order = Random(0).sample(mutants, len(mutants))
    left = [mutant for mutant in order if not args.table and done.get(mutant.key) in wanted]
    left = [mutant for mutant in left if not (args.again and _reason(mutant))]
    print(f'{len(mutants)} mutants, {len(left)} to be tried', flush=True)
    if left:
        _check_baseline(sorted({mutant.file for mutant in left}))
        args.journal.parent.mkdir(parents=True, exist_ok=True)
    for mutant, result, by in _in_processes(left, args.workers):
        done[mutant.key] = result
        with open(args.journal, 'a') as file:
            file.write(json.dumps(dict(key=mutant.key, name=mutant.name, change=mutant.change, result=result, by=by)) + '\n')
        if result == 'survived':
            print(f'SURVIVED {mutant.name} (line {mutant.line}): {mutant.change}', flush=True)
    print(_table(mutants, done))
    if args.keep:
        KEPT.write_text(''.join(f'{mutant.key} {done[mutant.key]}\n' for mutant in mutants if mutant.key in done))
    tried = [done[mutant.key] in KILLED for mutant in mutants if mutant.key in done]
    return int(bool(tried) and 100 * sum(tried) / len(tried) < LEAST)


if __name__ == '__main__':
    raise SystemExit(main())
