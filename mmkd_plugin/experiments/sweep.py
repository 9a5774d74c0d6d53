"""Sweeps: configs times seeds, one run after another; finished runs are skipped."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .children import run_child

__all__ = ['Run', 'plan_runs', 'read_records', 'run_sweep']


@dataclass(frozen=True)
class Run:
    """One config with one seed.

    Attributes:
        name (str): The config's path below ``configs/``, or its name alone, without the ending; after that of other data.
        config (str): Path of the config.
        seed (int): Seed of the student.
        arguments (tuple[str, ...]): Words of the train command that change the config, as ``('--data', 'hapt')``.
        key (str): Fingerprint of the configs, with their bases, and of the arguments: a changed config is another run.
    """

    name: str
    config: str
    seed: int
    arguments: tuple[str, ...]
    key: str


def plan_runs(
    configs: Iterable[str], seeds: Iterable[int], arguments: Sequence[str] = (), data: str | None = None
) -> list[Run]:
    """List all runs of a sweep, seed by seed within a config.

    Args:
        configs (Iterable[str]): Paths of configs, or names of shipped ones.
        seeds (Iterable[int]): Seeds of the student.
        arguments (Sequence[str]): Words of the train command that change every config.
        data (str, optional): What ``--data`` among the arguments names.

    Raises:
        FileNotFoundError: A config does not exist.
    """
    from mmkd_plugin.fileio import read_config, resolve_config  # heavy: not at import

    runs, seeds = [], list(seeds)
    exchanged = [] if data is None else [data if Path(data).is_file() else f'configs/_base_/datasets/{data}.py']
    for config in configs:
        path = resolve_config(config)
        files = [str(path), *exchanged]
        text = ''.join(read_config(file).pretty_text for file in files) + json.dumps(list(arguments))
        key = hashlib.sha256(text.encode()).hexdigest()[:10]
        parts = path.with_suffix('').parts
        below = len(parts) - parts[::-1].index('configs') if 'configs' in parts else -1
        name = '/'.join([*([] if data is None else [Path(data).stem]), *parts[below:]])
        runs += [Run(name, config, seed, tuple(arguments), key) for seed in seeds]
    return runs


def read_records(path: str | Path, say: Callable[[str], object] = lambda line: None) -> list[dict]:
    """Read the finished runs, one per line of a JSON-lines file; none if there is no such file.

    Args:
        path (str | Path): ``runs.jsonl`` of a sweep.
        say (Callable[[str], object]): Called with a sentence for each line that is not the whole record of a run. Such a line
            is left out, so that its run is made again.
    """
    path = Path(path)
    records: list[dict] = []
    text = path.read_bytes().decode(errors='replace') if path.is_file() else ''
    for number, line in enumerate(text.split('\n'), 1):
        if not line.strip():
            continue
        record = _parse(line)
        if _is_record(record):
            records.append(record)
        else:
            say(f'{path}, line {number} is not the whole record of a run and is left out')
    return records


def _parse(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # also of a number of thousands of digits
        return None


def _is_record(record: Any) -> bool:
    """Return whether a line holds what the table and the list of finished runs are made of."""
    if not isinstance(record, dict) or not isinstance(record.get('result'), dict):
        return False
    rows = record['result'].get('networks')
    return (
        all(isinstance(record.get(key), kind) for key, kind in (('name', str), ('key', str), ('seed', int)))
        and isinstance(rows, list)
        and all(isinstance(row, dict) and {'name', 'role', 'params', 'test'} <= row.keys() for row in rows)
        and any(row['role'] == 'student' for row in rows)
    )


def run_sweep(runs: Sequence[Run], folder: str | Path, say=print) -> list[Run]:
    """Carry out the runs that are not finished, each in a process of its own, and add a line to ``runs.jsonl`` for each.

    A run that was interrupted goes on from its newest checkpoint. A run that fails is named, and the others go on.

    Args:
        runs (Sequence[Run]): From :func:`plan_runs`.
        folder (str | Path): Where the runs and ``runs.jsonl`` are written.
        say (Callable[[str], None]): Called with a line for every run.

    Returns:
        list[Run]: The runs that failed.

    Raises:
        LockedError: Another sweep writes into the folder.
        OSError: The folder or ``runs.jsonl`` cannot be written.
    """
    from mmkd_plugin.fileio import locked  # heavy: not at import

    with locked(Path(folder, '.lock'), f'the folder {folder}', say):
        return _run_all(runs, Path(folder), say)


def _run_all(runs: Sequence[Run], folder: Path, say) -> list[Run]:
    lines = folder / 'runs.jsonl'
    done = {(record['key'], record['seed']) for record in read_records(lines, say)}
    failed = []
    for number, run in enumerate(runs, 1):
        label = f'[{number}/{len(runs)}] {run.name} seed {run.seed}'
        if (run.key, run.seed) in done:
            say(f'{label}: finished before')
            continue
        work_dir = folder / f'{run.name}-{run.key}' / f'seed{run.seed}'
        started = time.monotonic()
        if not _train(run, work_dir):
            failed.append(run)
            say(f'{label}: FAILED, see {work_dir}/log.txt')
            continue
        record = {
            'config': run.config,
            'name': run.name,
            'key': run.key,
            'seed': run.seed,
            'arguments': list(run.arguments),
            'seconds': round(time.monotonic() - started, 1),
            'result': json.loads((work_dir / 'result.json').read_text()),
        }
        _add_line(lines, json.dumps(record))
        test = next(row['test'] for row in record['result']['networks'] if row['role'] == 'student')
        say(f'{label}: {100 * test["best"]["accuracy"]:.2f} best, {100 * test["last"]["accuracy"]:.2f} last')
    return failed


def _add_line(path: Path, line: str) -> None:
    from mmkd_plugin.fileio import write_fault  # heavy: not at import

    # What a kill has torn stays a line of its own.
    torn = path.is_file() and path.read_bytes()[-1:] not in (b'', b'\n')
    try:
        with open(path, 'a') as file:
            file.write('\n' * torn + line + '\n')
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise write_fault(error, path) from error


def _train(run: Run, work_dir: Path) -> bool:
    """Train in a process of its own, with its output in ``log.txt``; return whether it succeeded."""
    work_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, '-m', 'mmkd_plugin', 'train', run.config, '--seed', str(run.seed), '--work-dir', str(work_dir)]
    command += ['--resume', *run.arguments]
    with open(work_dir / 'log.txt', 'a') as log:
        return run_child(command, log) == 0
