"""Feed damaged files to what reads them: a reading, or one sentence about the file, and nothing else.

    python tools/dev/fuzz.py --minutes 60 --seed 0                  # all kinds of files
    python tools/dev/fuzz.py --minutes 5 --only readers checkpoints # groups or kinds
    python tools/dev/fuzz.py --seed 0 --replay 1234                 # one try again, here, with its traceback

A try is one small file that is changed, and is read in a process of its own with limits of processor time and memory. Its
number and the seed decide everything. Files that have shown a fault are kept in --keep.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).parent))

from fuzz_changes import mutate
from fuzz_kinds import GROUPS, KINDS, digest

from mmkd_plugin.cli.errors import EXPECTED

__all__ = ['Outcome', 'Template', 'attempt', 'damage', 'kind_of', 'prepare', 'run', 'tries']

SECONDS = 20  # of processor time for one try; a whole file takes less than one
WALL = 600  # seconds after which a try that does nothing is ended
ENDS = {signal.SIGPROF: f'more than {SECONDS} s of the processor', signal.SIGALRM: f'more than {WALL} s'}
TURNS = 20  # tries of each kind that one process makes
LONGEST = 2000  # characters of a reason, all of which fit into a pipe
ROOM = 2 * 2**30  # bytes beyond what the process has already
RESULTS = ('read', 'other', 'refused', 'unnamed', 'fault')


@dataclass(frozen=True)
class Outcome:
    """What has come of a try.

    Attributes:
        result (str): 'read' as before, 'other' (a valid result that is another one), 'refused' by a sentence that names the
            file, 'unnamed' (refused by one that does not), or 'fault'.
        reason (str): The error.
        file (str): The file that was changed, below the folder.
    """

    result: str
    reason: str = ''
    file: str = ''


@dataclass(frozen=True)
class Template:
    """Whole files of a kind.

    Attributes:
        kind (str): Its name.
        folder (Path): Where they lie.
        expected (str): Digest of what is read of them.
    """

    kind: str
    folder: Path
    expected: str


def prepare(kind: str, folder: Path, run: Path | None = None) -> Template | None:
    """Write whole files of a kind; None of a kind that a run leaves, where there is no run."""
    known = KINDS[kind]
    if known.of_run and run is None:
        return None
    folder.mkdir(parents=True)
    known.write(folder, run) if known.of_run else known.write(folder)
    return Template(kind, folder, digest(known.read(folder), folder))


def damage(template: Template, number: int, seed: int, folder: Path) -> Path:
    """Copy whole files and change one of them.

    Args:
        template (Template): The whole files.
        number (int): Of the try.
        seed (int): Of all tries.
        folder (Path): Where the copy is made; anything that is there is removed.

    Returns:
        Path: The file that was changed.
    """
    random = Random(f'{seed}:{number}')
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template.folder, folder)
    file = random.choice(sorted(path for path in folder.glob(KINDS[template.kind].files) if path.is_file()))
    file.write_bytes(mutate(file.read_bytes(), file.suffix, random))
    return file


def attempt(template: Template, number: int, seed: int, folder: Path) -> Outcome:
    """Read damaged files, see :func:`damage`, and say what comes of it; an error that nobody expects is part of that."""
    known, name = KINDS[template.kind], str(damage(template, number, seed, folder).relative_to(folder))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            result = digest(known.read(folder), folder)
    except EXPECTED as error:
        message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        plain = ' ' in message and str(folder) in message  # a line for each fault where a file has several
        return Outcome('refused' if plain else 'unnamed', f'{type(error).__name__}: {message}'.replace(str(folder), ''), name)
    except Exception as error:  # noqa: BLE001 - what no reader should raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f'{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})'
        return Outcome('fault', reason.replace(str(folder), ''), name)
    return Outcome('read' if result == template.expected else 'other', '', name)


def tries(templates: Mapping[str, Template], numbers: Sequence[int], seed: int, folder: Path) -> Iterator[tuple[int, Outcome]]:
    """Make tries in a process of their own: a fork, since everything is imported here already, and another where one has ended.

    Args:
        templates (Mapping[str, Template]): Whole files by kind; numbers of other kinds are left out.
        numbers (Sequence[int]): Of the tries.
        seed (int): Of all tries.
        folder (Path): Where copies are made.

    Yields:
        tuple[int, Outcome]: Number, and what has come of the try.
    """
    left = [number for number in numbers if kind_of(number) in templates]
    while left:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reading)
                _limited()
                for number in left:
                    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # what expires ends the process
                    signal.setitimer(signal.ITIMER_REAL, WALL)
                    outcome = attempt(templates[kind_of(number)], number, seed, folder)
                    line = json.dumps(asdict(replace(outcome, reason=outcome.reason[:LONGEST])))
                    os.write(writing, f'{line}\n'.encode())
                os._exit(0)
            finally:
                os._exit(1)
        os.close(writing)
        with open(reading) as lines:
            for line in lines:
                yield left.pop(0), Outcome(**json.loads(line))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if left:
            yield left.pop(0), Outcome('fault', ENDS.get(-status, f'the process has ended with status {status}'))


def kind_of(number: int) -> str:
    """Return the kind of the files of a try."""
    return list(KINDS)[number % len(KINDS)]


def _limited() -> None:
    """Let this process print nothing, and take so much more memory than it has."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM,) * 2)
    for number in ENDS:
        signal.signal(number, signal.SIG_DFL)


def run(seed: int, minutes: float, kinds: Sequence[str], folder: Path, keep: Path, work_dir: Path | None) -> dict[str, Counter]:
    """Make tries of all kinds in turn until the time is over, or Ctrl-C; print faults as they come, return counts by kind."""
    made = {kind: prepare(kind, folder / 'whole' / kind, work_dir) for kind in kinds}
    templates = {kind: template for kind, template in made.items() if template is not None}
    counts: dict[str, Counter] = {kind: Counter() for kind in templates}
    seen: Counter = Counter()
    end, first, many = time.monotonic() + 60 * minutes, 0, TURNS * len(KINDS)
    with suppress(KeyboardInterrupt):
        while (left := end - time.monotonic()) > 0:
            print(f'{sum(map(Counter.total, counts.values()))} tries, {left / 60:.0f} minutes left', flush=True)
            for number, outcome in tries(templates, range(first, first + many), seed, folder / 'copy'):
                kind = kind_of(number)
                counts[kind][outcome.result] += 1
                if outcome.result in ('unnamed', 'fault'):
                    damage(templates[kind], number, seed, keep / f'{seed}-{number}')
                    key = kind, outcome.result, outcome.reason.partition(':')[0], outcome.reason[-30:]
                    seen[key] += 1
                    if seen[key] < 4:
                        print(f'{outcome.result} {number} {kind} {outcome.file}: {outcome.reason[:300]}', flush=True)
            first += many
    return counts


def _table(counts: dict[str, Counter]) -> str:
    rows = [('kind', 'tries', *RESULTS)]
    for kind, count in {**counts, 'all': sum(counts.values(), Counter())}.items():
        rows.append((kind, *map(str, (sum(count.values()), *(count[result] for result in RESULTS)))))
    return '\n'.join(f'{row[0]:16}' + ''.join(f'{cell:>10}' for cell in row[1:]) for row in rows)


def _tiny_run(folder: Path) -> Path:
    """Train for two epochs on BasicMotions; return the work directory."""
    from mmkd_plugin.apis import load_config, train

    options = {'train_cfg.max_epochs': 2, 'default_hooks.checkpoint.interval': 1}
    train(load_config('supervised/student', str(folder / 'run'), cfg_options=options, data='basic_motions'))
    return folder / 'run'


def main() -> int:
    """Run the command; the exit code is 1 where a fault was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--only', nargs='+', choices=[*GROUPS, *KINDS], help='groups of kinds, or kinds')
    parser.add_argument('--replay', type=int, metavar='NUMBER', help='make one try again in this process')
    parser.add_argument('--run', type=Path, help='work directory of a run whose files are changed; one is made by default')
    parser.add_argument('--keep', type=Path, default=Path('fuzz-faults'))
    args = parser.parse_args()
    kinds = [name for name, kind in KINDS.items() if not args.only or {name, kind.group} & set(args.only)]
    if args.replay is not None:
        kinds = [kind_of(args.replay)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        needed = any(KINDS[kind].of_run for kind in kinds)
        work_dir = args.run or (_tiny_run(folder) if needed else None)
        if args.replay is not None:
            copy = args.keep / f'{args.seed}-{args.replay}'
            outcome = attempt(prepare(kinds[0], folder / 'whole', work_dir), args.replay, args.seed, copy)
            print(f'{outcome.result}: {kinds[0]}, {copy / outcome.file}: {outcome.reason}')
            KINDS[kinds[0]].read(copy)  # for its traceback
            return 0
        start = time.monotonic()
        counts = run(args.seed, args.minutes, kinds, folder, args.keep, work_dir)
    print(f'\nseed {args.seed}, {(time.monotonic() - start) / 60:.0f} minutes\n\n{_table(counts)}')
    return int(any(count['fault'] or count['unnamed'] for count in counts.values()))


if __name__ == '__main__':
    raise SystemExit(main())
