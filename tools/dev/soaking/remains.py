"""What a command leaves in a folder: its results without times, and what should not be there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmkd_plugin.experiments import finished, read_records
from mmkd_plugin.fileio import load_checkpoint

__all__ = ['differences', 'held_locks', 'leftovers', 'results_of']

# Logs, pictures and pointers, of which nothing depends; the host dumps a run's config under the config's name.
SKIPPED = re.compile(
    r'(.*/)?(\d{8}_\d{6}(_\d+)?/.*|vis_data/.*|last_checkpoint|.*\.lock|\.turn|log\.txt|workers\.txt|teachers/[^/]*\.txt'
    r'|sources\.json|journal\.log|(?!winner_)[^/]*\.py|inputs/.*)'
)
TEMPORARY = re.compile(r'.*\.(tmp|part|rename)(/.*)?')  # the last is optuna's lock on its way out
# Of JSON: where and when something was made and how long that took, and hashes of files that hold such facts.
OF_THE_PROCESS = {'run', 'process', 'files', 'sha256', 'budget', 'seconds'}


def results_of(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Return a hash of what each file says, by its path, and a sentence for each file that cannot be read whole."""
    results, faults = {}, []
    for path in _files(folder):
        name = str(path.relative_to(folder))
        if SKIPPED.fullmatch(name) or TEMPORARY.fullmatch(name):
            continue
        try:
            results[name] = _hash(_content(path))
        except Exception as error:  # noqa: BLE001 - each kind of file has its own
            faults.append(f'{name} cannot be read: {type(error).__name__}: {error}')
    return results, faults


def differences(expected: dict[str, str], results: dict[str, str]) -> list[str]:
    """Return a sentence for each result that is missing, is another one, or should not be there."""
    sentences = [f'{name} is missing' for name in expected if name not in results]
    sentences += [f'{name} should not be there' for name in results if name not in expected]
    return sentences + [f'{name} differs' for name in expected if results.get(name, expected[name]) != expected[name]]


def leftovers(folder: Path) -> list[str]:
    """Return the temporary files in a folder."""
    names = [str(path.relative_to(folder)) for path in _files(folder)]
    return [name for name in names if TEMPORARY.fullmatch(name)]


def held_locks(folder: Path) -> list[str]:
    """Return the files in a folder that some process holds a lock on."""
    held = []
    for path in filter(Path.is_file, _files(folder)):  # optuna's lock is a link
        with open(path, 'rb') as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append(str(path.relative_to(folder)))
    return held


def _files(folder: Path) -> Iterator[Path]:
    for here, _, names in sorted(os.walk(folder)):
        yield from (Path(here, name) for name in sorted(names))


def _content(path: Path) -> Any:
    """Return what a file says."""
    if path.suffix == '.pth':
        checkpoint = load_checkpoint(path)
        return [checkpoint['state_dict'], checkpoint.get('optimizer')]
    if path.suffix == '.npz':
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    if path.suffix == '.npy':
        return np.load(path, allow_pickle=False)
    if path.suffix == '.json':
        return _lasting(json.loads(path.read_bytes()))
    if path.suffix == '.jsonl':
        # A run that has failed and was made again has both records, of which the later one counts.
        return sorted((_lasting(record) for record in finished(read_records(path))), key=lambda record: str(record['key']))
    return path.read_bytes()


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(each) for key, each in value.items() if key not in OF_THE_PROCESS}
    return [_lasting(each) for each in value] if isinstance(value, list) else value


def _hash(content: Any) -> str:
    sha = hashlib.sha256()
    _feed(sha, content)
    return sha.hexdigest()[:16]


def _feed(sha, content: Any) -> None:
    if isinstance(content, dict):
        for key, value in content.items():
            sha.update(f'{key!r}:'.encode())
            _feed(sha, value)
    elif isinstance(content, (list, tuple)):
        for value in content:
            _feed(sha, value)
            sha.update(b',')
    elif isinstance(content, (torch.Tensor, np.ndarray)):
        array = content.detach().cpu().numpy() if isinstance(content, torch.Tensor) else content
        sha.update(f'{array.dtype}{array.shape}'.encode() + np.ascontiguousarray(array).tobytes())
    else:
        sha.update(content if isinstance(content, bytes) else repr(content).encode())
