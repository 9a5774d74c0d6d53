"""Records: one line of JSON for every run, appended whole by any number of writers."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .record_shape import inside_fault

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    'FIELDS',
    'VERSION',
    'append_record',
    'blank_record',
    'failed_record',
    'finished',
    'read_records',
    'validation_of',
]

VERSION = 1  # of the schema: raised when a field changes its meaning or goes
TEXT, WHOLE, NONE = str, int, type(None)
# Every field with its types; docs/experiments.md says what each one holds.
FIELDS: dict[str, tuple[type, ...]] = {
    'version': (WHOLE,),
    'key': (TEXT, NONE),
    'method': (TEXT,),
    'settings': (dict,),
    'data': (TEXT,),
    'fold': (WHOLE, NONE),
    'seed': (WHOLE,),
    'quick': (bool,),
    'ended': (dict,),
    'fingerprints': (dict,),
    'config': (dict,),
    'code': (dict,),
    'stack': (dict,),
    'process': (dict,),
    'classes': (list,),
    'subjects': (dict,),
    'windows': (dict,),
    'networks': (list,),
    'complementarity': (dict,),
    'curves': (dict,),
    'faults': (list,),
    'work_dir': (TEXT, NONE),
    'trial': (NONE, dict),
}
LATER = ('trial',)  # fields that records of this version may lack, since they were written before


def failed_record(
    reason: str,
    method: str,
    data: str,
    seed: int,
    fold: int | None = None,
    key: str | None = None,
    settings: Mapping[str, Any] | None = None,
    work_dir: str | None = None,
    trial: Mapping[str, Any] | None = None,
) -> dict:
    """Return the record of a run that has not come to its end.

    Args:
        reason (str): How the run ended, in a sentence.
        method (str): Name of the config.
        data (str): Name of the data.
        seed (int): Of the run.
        fold (int, optional): Of the data's protocol.
        key (str, optional): By which whoever planned the run finds it again.
        settings (Mapping[str, Any], optional): Keys of the config that were set for this run.
        work_dir (str, optional): Where the run wrote.
        trial (Mapping[str, Any], optional): ``study`` and ``number`` of the trial of a search that the run is of.
    """
    record = blank_record(method, data, seed, fold, settings)
    own = None if trial is None else dict(trial)
    return record | {'key': key, 'ended': {'state': 'failed', 'reason': reason}, 'work_dir': work_dir, 'trial': own}


def blank_record(method: str, data: str, seed: int, fold: int | None = None, settings: Mapping[str, Any] | None = None) -> dict:
    """Return a record that says which run it is of, and nothing else; see :func:`failed_record` for the arguments."""
    empty: dict[type, Callable] = {dict: dict, list: list, bool: bool}
    return {name: empty.get(types[0], lambda: None)() for name, types in FIELDS.items()} | {
        'version': VERSION,
        'method': method,
        'settings': dict(settings or {}),
        'data': data,
        'fold': fold,
        'seed': seed,
    }


def append_record(record: Mapping[str, Any], path: str | Path) -> None:
    """Append a record to a file, as one line, whole or not at all, and have it on the disk before this returns.

    Writers take turns by a lock on the file. A line that a kill has torn stays a line of its own.

    Args:
        record (Mapping[str, Any]): With the fields of :data:`FIELDS`.
        path (str | Path): ``runs.jsonl``; made where it does not exist.

    Raises:
        ValueError: A field is missing, unknown or of a wrong type, or a number is not finite.
        OSError: The line cannot be written whole, as on a full disk; nothing of it is left then.
    """
    faults = record_faults(record)
    if faults:
        raise ValueError(f'not the record of a run: {"; ".join(faults)}')
    line = json.dumps(record, allow_nan=False).encode() + b'\n'
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'ab+', buffering=0) as file:
        if fcntl is not None:  # not fileio.locked, whose room imports torch
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b'\n' else b'\n' + line
        try:
            while line:  # a disk that fills up takes a part, and gives the reason at the next
                line = line[file.write(line) :]
            os.fsync(file.fileno())
        except BaseException as error:
            file.truncate(size)
            if isinstance(error, OSError):
                raise OSError(error.errno, error.strerror, str(path)) from error
            raise


def read_records(path: str | Path, say: Callable[[str], object] = lambda line: None) -> list[dict]:
    """Read all records of a file, in the order in which they were written; none if there is no such file.

    Args:
        path (str | Path): ``runs.jsonl``.
        say (Callable[[str], object]): Called with a sentence for each line that is not the whole record of a run. Such a line
            is left out, so that its run is made again.

    Raises:
        ValueError: A line was written by a newer version of this package.
    """
    path = Path(path)
    records: list[dict] = []
    text = path.read_bytes().decode(errors='replace') if path.is_file() else ''
    for number, line in enumerate(text.split('\n'), 1):
        if not line.strip():
            continue
        record = _parse(line)
        version = record.get('version') if isinstance(record, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise ValueError(
                f'{path}, line {number} has version {version} of the schema; this mmkd_plugin reads up to {VERSION}'
            )
        if record_faults(record):
            say(f'{path}, line {number} is not the whole record of a run and is left out')
        else:
            records.append({**dict.fromkeys(LATER), **record})
    return records


def _parse(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # also of a number of thousands of digits
        return None


def record_faults(record: Any) -> list[str]:
    """List what keeps a value from being a record: one sentence for each fault."""
    if not isinstance(record, Mapping):
        return ['it is no mapping']
    faults = [f'{name} is missing' for name in FIELDS if name not in record and name not in LATER]
    faults += [f'there is no field {name}' for name in record if name not in FIELDS]
    for name, types in FIELDS.items():
        value = record.get(name)
        if name in record and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
            faults.append(f'{name} must be {" or ".join(kind.__name__ for kind in types)}, got {value!r}')
    fault = None if faults else inside_fault(record)
    return [*faults, fault] if fault else faults


def validation_of(record: Mapping[str, Any]) -> dict:
    """Return the metrics on validation of the network that a finished run is about."""
    row = next(row for row in record['networks'] if row['role'] in ('student', 'detector'))
    return row['val'] or {}


def finished(records: Iterable[dict]) -> list[dict]:
    """Return the records of the runs that came to their end, the last one of each where a run was made again.

    A run is told by method, settings, config, data, fold, seed and whether it was a first look.
    """
    last = {}
    for record in records:
        if record['ended']['state'] == 'finished':
            settings = json.dumps(record['settings'], sort_keys=True)
            run = [record[name] for name in ('method', 'data', 'fold', 'seed', 'quick')]
            identity = (*run, settings, record['fingerprints'].get('config'))
            last[identity] = record
    return list(last.values())
