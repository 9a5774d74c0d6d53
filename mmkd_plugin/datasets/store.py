"""A store: recordings read once, kept as memory-mapped float32 arrays, one per part of the data set."""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from mmengine.logging import print_log
from mmengine.utils import track_iter_progress

from mmkd_plugin.failures import of_the_machine
from mmkd_plugin.fileio import (
    check_facts,
    content_hashes,
    file_faults,
    load_hashes,
    locked,
    save_hashes,
    seal,
    unseal,
    write_atomically,
)

from .readers.base import Reader
from .recordings import Recording, Recordings, Summary
from .store_engines import ENGINES
from .store_streams import (
    count_labels,
    gather_streams,
    list_moments,
    moments_key,
    read_moments,
    read_streams,
    stream_ending,
)
from .streams import Sensor, Stream

try:
    import resource
except ImportError:  # Windows, which has no such limits
    resource = None  # type: ignore[assignment]

__all__ = ['ENGINES', 'convert', 'open_store', 'store_faults']

FORMAT = 2  # of the files of a store: raised with every change of what _write_part and convert write
DONE = 'store.json'
SOURCES = 'sources.json'  # hashes of the files that stores were read from
ENDINGS = ('.npy', '.labels.npy', '.npz')  # of the files of a part, beside its head
SMALL = 2**24  # bytes: files that are read within a second or two, without a word
OTHER_FILES = 1_024  # that a process may open beside those of a store


def convert(reader: Reader, folder: str | Path, engine: str = 'processes', workers: int = 1) -> Path:
    """Read all parts of a data set into a store; whole parts are kept, so that a killed conversion continues.

    A store is found by the content of the files that were read, and every byte of a store is held against its hash once per
    process. Parts that are damaged are read again.

    Args:
        reader (Reader): Reader of the format.
        folder (str | Path): Folder of all stores; this one gets its own, named after the reader and its fingerprint.
        engine (str): 'processes' on this machine, or 'ray' for a cluster (extra ``[ray]``).
        workers (int): Number of parts that are read at once; a Ray cluster decides by itself.

    Returns:
        Path: Folder of the store.

    Raises:
        FileNotFoundError: The data do not exist.
        ImportError: ``engine`` is 'ray', which is not installed.
        ValueError: A file is damaged, the engine is unknown, or no part holds a recording.
    """
    if engine not in ENGINES:
        raise ValueError(f'engine must be one of {", ".join(ENGINES)}, got {engine!r}')
    parts = reader.parts()
    folder = Path(folder)
    load_hashes(folder / SOURCES)
    store = folder / f'{type(reader).__name__.lower()}-{_fingerprint(reader)}'
    faults = store_faults(store)
    if not faults:
        save_hashes(folder / SOURCES, reader.files())
        return store
    if (store / DONE).is_file():
        for fault in faults:
            _say(f'{fault}; what is damaged is read again', logging.WARNING)
    with locked(store.with_suffix('.lock'), f'the store {store}', _say, wait=True):  # of two runs at once, one reads
        for half in sorted(store.glob('.*.tmp')):  # left behind by a killed conversion
            half.unlink()
        if not store_faults(store):
            return store
        store.mkdir(parents=True, exist_ok=True)
        _read_missing(reader, store, parts, ENGINES[engine], workers)
    save_hashes(folder / SOURCES, reader.files())
    return store


def open_store(store: str | Path) -> Recordings:
    """Open the recordings of a store; samples stay on disk until they are read.

    Args:
        store (str | Path): From :func:`convert`, which has held the files against their hashes.

    Raises:
        FileNotFoundError: The store does not exist, or its conversion has not been finished.
        ValueError: A file that says what the store holds is damaged.
    """
    store = Path(store)
    if not (store / DONE).is_file():
        raise FileNotFoundError(f'{store} is no finished store')
    try:
        return _open(store)
    except Exception as error:  # a file that was sealed by others may hold anything
        if isinstance(error, OSError) or of_the_machine(error) or str(store) in str(error):
            raise
        reason = str(error) if isinstance(error, ValueError) else f'{type(error).__name__}: {error}'
        raise ValueError(f'{store} cannot be opened: {reason}') from error


def _open(store: Path) -> Recordings:
    facts = unseal(store / DONE)
    _allow_open_files((2 + len(facts.get('streams', ()))) * len(facts['parts']))
    recordings: list[Recording] = []
    notes = list(facts['notes'])
    for part in facts['parts']:
        head = unseal(_head(store, part))
        notes += head['notes']
        if head['recordings']:
            with np.load(_file(store, part, '.npz'), allow_pickle=False) as arrays:
                arrays = dict(arrays)
            signal = np.load(_file(store, part, '.npy'), mmap_mode='r', allow_pickle=False)
            labels = np.load(_file(store, part, '.labels.npy'), mmap_mode='r', allow_pickle=False)
            streams = read_streams(head['recordings'], arrays, partial(_file, store, part))
            recordings += _recordings(head['recordings'], signal, labels, arrays, streams)
    sensors = {name: Sensor(**sensor) for name, sensor in facts.get('streams', {}).items()}
    return Recordings(
        tuple(recordings), tuple(facts['channels']), tuple(facts['classes']), float(facts['rate']), tuple(notes), sensors
    )


def store_faults(store: str | Path) -> list[str]:
    """List what is missing or damaged in a store; a file that this process has seen whole is read again once it was touched.

    Returns:
        list[str]: One sentence for each fault.
    """
    store = Path(store)
    try:
        facts = unseal(store / DONE)
        check_facts(store / DONE, facts, parts=dict)
        parts = facts['parts']
    except FileNotFoundError:
        return [f'{store} is no finished store']
    except ValueError as error:
        return [str(error)]
    faults = file_faults(store, {_head(store, part).name: sha for part, sha in parts.items()})
    hashes: dict[str, str] = {}
    for part in parts if not faults else ():
        hashes |= unseal(_head(store, part))['hashes']
    return faults + file_faults(store, hashes)


def _say(line: str, level: int = logging.INFO) -> None:
    print_log(line, 'current', level)


def _read_missing(reader: Reader, store: Path, parts: list[str], run: Callable, workers: int) -> None:
    """Read the parts that are not there whole, then write the file that makes a store complete."""
    missing = [part for part in parts if not _is_whole(store, part)]
    finished = run(partial(_write_part, reader, store), missing, workers)
    if missing and sum(path.stat().st_size for path in reader.files()) > SMALL:
        _say(f'reading {len(missing)} of {len(parts)} parts into {store}')
        if sys.stdout.isatty():
            finished = track_iter_progress((finished, len(missing)), file=sys.stdout)
    for _ in finished:
        pass
    heads = [unseal(_head(store, part)) for part in parts]
    if not any(head['recordings'] for head in heads):
        raise reader.no_recording([note for head in heads for note in head['notes']])
    hashes = dict(zip(parts, content_hashes(_head(store, part) for part in parts)))
    facts = dict(parts=hashes, channels=reader.channels, classes=reader.classes, rate=reader.rate, notes=reader.notes())
    if reader.streams:
        facts['streams'] = {name: asdict(sensor) for name, sensor in reader.streams.items()}
    write_atomically(seal(facts), store / DONE)


def _is_whole(store: Path, part: str) -> bool:
    try:
        return not file_faults(store, unseal(_head(store, part))['hashes'])
    except (OSError, ValueError, KeyError):
        return False


def _fingerprint(reader: Reader) -> str:
    """Hash what decides the content of a store, 16 hexadecimal digits."""
    return hashlib.sha256(f'{FORMAT} {reader.fingerprint()}'.encode()).hexdigest()[:16]


def _allow_open_files(count: int) -> None:
    """Raise the limit of open files of this process, as far as the system allows: a memory map keeps its file open."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + OTHER_FILES if hard == resource.RLIM_INFINITY else min(count + OTHER_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _file(store: Path, part: str, ending: str) -> Path:
    """Return the path of a part's file; the name of a part may hold any characters."""
    plain = ''.join(letter if letter.isalnum() or letter in '-_' else '_' for letter in part)[-60:]
    return store / f'{plain}-{hashlib.sha256(part.encode()).hexdigest()[:8]}{ending}'


def _head(store: Path, part: str) -> Path:
    """Return the path of the file that is written last: once it exists, the part is complete."""
    return _file(store, part, '.json')


def _write_part(reader: Reader, store: Path, part: str) -> str:
    """Read one part, check and write it, and return its name."""
    content = reader.read_checked(part)
    heads, moments, start = [], [], 0
    for recording in content.recordings:
        stop = start + len(recording.signal)
        by_label = recording.summary.moments
        heads.append(
            dict(
                name=recording.name,
                subject=recording.subject,
                label=None if isinstance(recording.label, np.ndarray) else int(recording.label),
                start=start,
                stop=stop,
                fingerprint=recording.summary.fingerprint,
                counts=count_labels(by_label),
            )
        )
        moments += list_moments(by_label)
        start = stop
    streams = gather_streams(content.recordings, heads)
    hashes = {}
    if heads:
        varied = [r.label for r in content.recordings if not np.isscalar(r.label)]
        arrays: tuple[np.ndarray, ...] = (
            np.concatenate([r.signal for r in content.recordings]).astype(np.float32, copy=False),
            np.concatenate([np.empty(0, np.int16), *varied]).astype(np.int16, copy=False),
        )
        endings = [*ENDINGS[:2], *(stream_ending(name) for name in streams), ENDINGS[2]]
        files = [_file(store, part, ending) for ending in endings]
        for file, array in zip(files, (*arrays, *(signal for signal, _ in streams.values()))):
            write_atomically(partial(_save_array, array), file)
        more = {moments_key(name): rows for name, (_, rows) in streams.items()}  # (recordings x labels, 4, C) each
        write_atomically(partial(_save_arrays, dict(moments=np.array(moments), **more)), files[-1])
        hashes = dict(zip((file.name for file in files), content_hashes(files)))
    write_atomically(seal(dict(recordings=heads, notes=list(content.notes), hashes=hashes)), _head(store, part))
    return part


def _save_array(array: np.ndarray, file: BinaryIO) -> None:
    np.save(file, array, allow_pickle=False)


def _save_arrays(arrays: dict[str, np.ndarray], file: BinaryIO) -> None:
    np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs take names of arrays for options


def _recordings(
    heads: list[dict], signal: np.ndarray, labels: np.ndarray, arrays: dict, streams: list[dict[str, Stream]]
) -> Iterator[Recording]:
    rows, label_start = iter(arrays['moments']), 0
    for head, others in zip(heads, streams):
        moments = read_moments(head['counts'], rows)
        label, length = head['label'], head['stop'] - head['start']
        if label is None:
            label, label_start = labels[label_start : label_start + length], label_start + length
        summary = Summary(moments, head['fingerprint'])
        yield Recording(signal[head['start'] : head['stop']], label, head['subject'], head['name'], summary, others)
