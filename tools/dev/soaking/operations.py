"""Operations that are struck: commands on small data, what their folder holds before, and what they do when nothing happens."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .children import Child, remaining
from .layer import Layer
from .remains import results_of

__all__ = ['OPERATIONS', 'Bench', 'Course', 'Operation']

LIMIT = 900.0  # seconds after which a command that has not ended is said to hang
CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
LEAF = str(CONFIGS / 'basic_motions' / 'fam_kd.py')
# Two teachers, one of which reads images; each learns for an epoch.
TEACHERS = (
    'teachers.train_cfg.max_epochs=1',
    'model.teachers.pi=None',
    'model.transfers.fam_pi=None',
    'model.transfers.aver.source=[sig.logits,gaf.logits]',
)
BASE = "base = {'data': 'basic_motions', 'train_cfg.max_epochs': 1}\n"
SWEEP = BASE + "axes = {'method': ['supervised/student'], 'seed': [0, 1]}\n"
SPACE = BASE + (
    "axes = {'method': ['supervised/student'], 'seed': [0]}\n"
    "space = {'optim_wrapper.optimizer.lr': dict(low=0.001, high=0.1, log=True)}\n"
)


def _distil(epochs: int, folder: str = 'run') -> tuple[str, ...]:
    return ('train', LEAF, '--work-dir', folder, '--cfg-options', f'train_cfg.max_epochs={epochs}', *TEACHERS)


@dataclass(frozen=True)
class Operation:
    """Commands that follow each other, and in which state of the folder they are called.

    Attributes:
        name (str): Of the operation.
        start (str): Operation whose folder is the start; empty for inputs alone.
        commands (tuple): Words after ``mmkd``; standard output goes to the file after a ``>``.
        without (tuple[str, ...]): What is removed from the start, as patterns.
        forks (bool): Whether the command starts processes of its own.
    """

    name: str
    start: str
    commands: tuple[tuple[str, ...], ...]
    without: tuple[str, ...] = ()
    forks: bool = False


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation('convert', '', (('data', 'convert', LEAF),)),
        Operation('teachers', 'convert', (_distil(1),)),
        Operation('train', 'teachers', (_distil(3),), without=('run',)),
        Operation(
            'cache',
            'teachers',
            (_distil(1), ('cache', 'verify', LEAF, '--cfg-options', 'train_cfg.max_epochs=1', *TEACHERS)),
            without=('run', 'work_dirs/teachers/cache'),
        ),
        Operation('sweep', 'convert', (('sweep', 'inputs/small.py', '--workers', '1'),), forks=True),
        Operation('search', 'convert', (('search', 'inputs/space.py', '--trials', '2', '--workers', '1'),), forks=True),
        Operation('export', 'teachers', (('export', 'run/student_best.pth', '--folder', 'exported', '--header'),)),
        Operation(
            'stream',
            'teachers',
            (
                ('infer', 'run/student_best.pth', 'inputs/track.csv', '--out', 'decisions.csv'),
                ('stream', 'run/student_best.pth', 'inputs/track.csv', '--speed', 'max', '>', 'stream.csv'),
            ),
        ),
    )
}


@dataclass(frozen=True)
class Course:
    """An operation that nothing has happened to.

    Attributes:
        events (list[tuple[str, str]]): Kind and path of each event, in order.
        results (dict[str, str]): From :func:`~soaking.remains.results_of`.
        seconds (float): That the operation took.
        folders (list[str]): That the operation has made or found, the first is the folder itself.
        before (int): Bytes of the folder at the start.
        size (int): Bytes of the folder at the end.
        largest (int): Bytes of the largest file that was made.
    """

    events: list[tuple[str, str]]
    results: dict[str, str]
    seconds: float
    folders: list[str]
    before: int
    size: int
    largest: int


class Bench:
    """A folder in which trials are made, one after another: always at one place, since some files hold paths.

    Args:
        folder (Path): Of the soak.
        imports (float): Seconds that a fresh process takes to import everything.
    """

    def __init__(self, folder: Path, imports: float = 0.0) -> None:
        self.imports = imports
        self.folder, self.here, self.output = folder, folder / 'here', folder / 'output'
        self.courses: dict[str, Course] = {}
        self.back = 0  # seconds that the clock of later commands of a trial is back
        self.mounts = _can_mount(folder / 'here')

    def mount(self, operation: Operation, room: int) -> None:
        """Lay out the folder on a disk of its own that has so many bytes."""
        shutil.rmtree(self.here, ignore_errors=True)
        self.here.mkdir(parents=True)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={room}', 'soak', str(self.here)], check=True)
        self.prepare(operation)

    def unmount(self) -> None:
        """Take the small disk away, if there is one."""
        if self.here.is_mount():
            subprocess.run(['umount', str(self.here)], check=True)

    def keep(self, number: int) -> Path:
        """Keep the folder and the output of a trial, and return where."""
        kept = self.folder / 'lost' / str(number)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.here, kept / 'here', symlinks=True)
        shutil.copytree(self.output, kept / 'output')
        return kept

    def prepare(self, operation: Operation) -> None:
        """Lay out the folder as it is before an operation."""
        shutil.rmtree(self.output, ignore_errors=True)
        self.output.mkdir(parents=True)
        if not self.here.is_mount():
            shutil.rmtree(self.here, ignore_errors=True)
        shutil.copytree(self.start_of(operation), self.here, dirs_exist_ok=True)

    def start_of(self, operation: Operation) -> Path:
        """Return the folder that is the start of an operation, made on first use."""
        start = self.folder / 'starts' / operation.name
        if not start.is_dir():
            if operation.start:
                self.course(OPERATIONS[operation.start])
                shutil.copytree(self.folder / 'ends' / operation.start, start)
                for pattern in operation.without:
                    for path in start.glob(pattern):
                        shutil.rmtree(path)
            else:
                _write_inputs(start / 'inputs')
        return start

    def course(self, operation: Operation) -> Course:
        """Return the course of an operation that nothing happens to, which is let run on first use.

        Raises:
            RuntimeError: The operation fails by itself.
        """
        if operation.name not in self.courses:
            self.start_of(operation)
            self.prepare(operation)
            folders = [self.here, *sorted(path for path in self.here.rglob('*') if path.is_dir())]
            before = {path: path.stat().st_size for path in self.here.rglob('*') if path.is_file()}
            layer = Layer(self.here, self.output / 'events')
            begun = time.monotonic()
            for number, words in enumerate(operation.commands):
                child = self.start(words, str(number), layer.enter)
                if child.wait(LIMIT) != 0:
                    child.kill()
                    raise RuntimeError(f'{" ".join(words)} fails by itself, exit code {child.code}: {child.text[-2000:]}')
            seconds = time.monotonic() - begun
            remaining(60)
            results, faults = results_of(self.here)
            if faults:
                raise RuntimeError(f'{operation.name} leaves files that cannot be read: {faults}')
            events = [tuple(line.split(' ', 1)) for line in (self.output / 'events').read_text().splitlines()]
            sizes = {path: path.stat().st_size for path in self.here.rglob('*') if path.is_file()}
            new = [path for path in sorted(self.here.rglob('*')) if path.is_dir() and path not in folders]
            names = [str(path.relative_to(self.here)) for path in (*folders, *new)]
            lasting = [name for name in names if not any(part[:8].isdigit() for part in Path(name).parts)]
            largest = max((size for path, size in sizes.items() if path not in before), default=0)
            self.courses[operation.name] = Course(
                events, results, seconds, lasting, sum(before.values()), sum(sizes.values()), largest
            )
            shutil.copytree(self.here, self.folder / 'ends' / operation.name)
        return self.courses[operation.name]

    def start(self, words: Sequence[str], name: str, prepare=lambda: None, hash_seed: int | None = None) -> Child:
        """Start a command in the folder of the trials.

        Args:
            words (Sequence[str]): After ``mmkd``.
            name (str): Of the folder that gets what the command prints.
            prepare (Callable): Called in the command's process first.
            hash_seed (int, optional): Of a process that is no fork.
        """
        out = None
        if '>' in words:
            words, out = words[:-2], self.here / words[-1]
        return Child(words, self.here, self.output / name, out, prepare, hash_seed)


def _write_inputs(folder: Path) -> None:
    """Write what a user would have: a sweep, a search and a recording with a gap."""
    from mmkd_plugin.datasets import BasicMotions

    folder.mkdir(parents=True)
    (folder / 'small.py').write_text(SWEEP)
    (folder / 'space.py').write_text(SPACE)
    signal = np.concatenate([recording.signal for recording in BasicMotions().read('test').recordings])[:400]
    times = np.arange(len(signal)) / 10
    times[200:] += 60
    head = ','.join(('time', *BasicMotions.channels))
    np.savetxt(folder / 'track.csv', np.column_stack([times, signal]), delimiter=',', header=head, comments='')


def _can_mount(folder: Path) -> bool:
    """Return whether a small disk can be mounted here."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'soak', str(folder)], capture_output=True)
    except OSError:
        return False
    if done.returncode == 0:
        subprocess.run(['umount', str(folder)], check=True)
    return done.returncode == 0
