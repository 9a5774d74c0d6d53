"""Files held against the hashes of their content: what was written once is noticed when a byte of it has changed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .atomic import write_atomically

__all__ = [
    'check_facts',
    'content_hashes',
    'facts_hash',
    'file_faults',
    'file_hash',
    'load_hashes',
    'save_hashes',
    'seal',
    'unseal',
]

BLOCK = 2**22  # bytes that are read at once
SETTLED = 10**8  # nanoseconds after which a file's time of change tells a later change apart

# By path: inode, size, times of modification and of change, and the hash. Nobody sets the time of change, not even a program
# that puts the time of modification back.
Stamp = tuple[int, int, int, int]
_KNOWN: dict[str, tuple[Stamp, str]] = {}
_LOADED: dict[str, int] = {}


def content_hashes(paths: Iterable[str | Path]) -> list[str]:
    """Return SHA-256 of every file, in hexadecimal; a file that this process has hashed is read again once it was touched.

    Args:
        paths (Iterable[str | Path]): Files, which are read side by side.

    Raises:
        OSError: A file cannot be read.
    """
    names = [os.path.abspath(path) for path in paths]
    new = [path for path in dict.fromkeys(names) if _KNOWN.get(path, (None, ''))[0] != _stamp(path)]
    if len(new) < 2:
        fresh = dict(zip(new, map(_hash, new)))
    else:
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1, len(new))) as pool:
            fresh = dict(zip(new, pool.map(_hash, new)))
    return [fresh[path] if path in fresh else _KNOWN[path][1] for path in names]


def file_hash(path: str | Path) -> str:
    """Return SHA-256 of one file, see :func:`content_hashes`."""
    return content_hashes([path])[0]


def file_faults(folder: str | Path, hashes: Mapping[str, str]) -> list[str]:
    """List the files of a folder that are not what they were.

    Args:
        folder (str | Path): Where the files lie.
        hashes (Mapping[str, str]): SHA-256 by name; a name that leads out of the folder is a fault, and nothing is read there.

    Returns:
        list[str]: One sentence for each fault.
    """
    outside = [name for name in hashes if name != os.path.basename(name) or name in ('', '.', '..')]
    missing = [name for name in hashes if name not in outside and not Path(folder, name).is_file()]
    rest = [name for name in hashes if name not in outside + missing]
    now = content_hashes(Path(folder, name) for name in rest)
    damaged = [name for name, sha in zip(rest, now) if sha != hashes[name]]
    return (
        [f'{name!r} is no name of a file in {folder}' for name in outside]
        + [f'{Path(folder, name)} is missing' for name in missing]
        + [f'{Path(folder, name)} is damaged: its content has changed since it was written' for name in damaged]
    )


def seal(facts: Mapping[str, Any]) -> bytes:
    """Return facts as JSON with a hash of themselves, for :func:`unseal`."""
    return json.dumps({**facts, 'sha256': facts_hash(facts)}, indent=2).encode()


def unseal(path: str | Path) -> dict[str, Any]:
    """Read facts that :func:`seal` has made.

    Raises:
        OSError: The file is not there, or cannot be read.
        ValueError: The file is damaged.
    """
    try:
        facts = json.loads(Path(path).read_bytes())
        sealed = facts.pop('sha256')
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f'{path} is damaged: it is not the JSON that was written') from error
    if sealed != facts_hash(facts):
        raise ValueError(f'{path} is damaged: its content has changed since it was written')
    return facts


def check_facts(path: str | Path, facts: Mapping[str, Any], **kinds: type | tuple[type, ...]) -> None:
    """See that facts have these names, with values of these types: a file that was sealed by others may hold anything.

    Raises:
        ValueError: One is missing or of another type.
    """
    wrong = next((name for name, kind in kinds.items() if name not in facts or not isinstance(facts[name], kind)), None)
    if wrong is not None:
        value = f'{facts[wrong]!r:.60}' if wrong in facts else 'missing'
        raise ValueError(f'{path} is damaged: {wrong} is {value}')


def load_hashes(path: str | Path) -> None:
    """Take over the hashes that :func:`save_hashes` has kept; a damaged file is as good as none."""
    try:
        changed = os.stat(path).st_ctime_ns
        if _LOADED.get(str(path)) != changed:
            kept = {name: ((int(a), int(b), int(c), int(d)), str(sha)) for name, (a, b, c, d, sha) in unseal(path).items()}
            _KNOWN.update({name: entry for name, entry in kept.items() if name not in _KNOWN})
            _LOADED[str(path)] = changed
    except (OSError, ValueError, TypeError, OverflowError):  # as of an infinite time
        return


def save_hashes(path: str | Path, files: Iterable[str | Path]) -> None:
    """Keep the known hashes of files for later processes, if there are new ones and the folder can be written."""
    try:
        kept = unseal(path)
    except (OSError, ValueError):
        kept = {}
    names = [os.path.abspath(file) for file in files]
    known = {name: [*_KNOWN[name][0], _KNOWN[name][1]] for name in names if name in _KNOWN}
    if any(kept.get(name) != entry for name, entry in known.items()):
        try:
            write_atomically(seal({**kept, **known}), path)
        except OSError:  # the next process computes them again
            return


def facts_hash(facts: Any) -> str:
    """Return SHA-256 of plain values, in hexadecimal; the order of keys does not count."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _stamp(path: str) -> Stamp:
    stat = os.stat(path)
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _hash(path: str) -> str:
    """Hash a file, and remember the hash unless another change could bear the same stamp."""
    before, sha = _stamp(path), hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(BLOCK):
            sha.update(block)
    if before == _stamp(path) and abs(time.time_ns() - before[3]) > SETTLED:
        _KNOWN[path] = before, sha.hexdigest()
    return sha.hexdigest()
