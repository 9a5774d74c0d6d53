"""Signals that a student is to classify: arrays, tables and folders, brought to the channels and the rate of its contract."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmkd_plugin.datasets import ArrayRecordings, Reader, Recording, Sensor
from mmkd_plugin.datasets.inspection import find_reader
from mmkd_plugin.datasets.names import list_names
from mmkd_plugin.datasets.readers.arrays import check_samples
from mmkd_plugin.datasets.readers.layout import LAYOUT, read_layout
from mmkd_plugin.datasets.readers.named_columns import describe_table
from mmkd_plugin.datasets.readers.resampling import Resampling
from mmkd_plugin.datasets.readers.tables import find_tables, read_signals
from mmkd_plugin.fileio import load_npy
from mmkd_plugin.structures import SIGNAL, suggest, unknown_name

from .contract import Contract
from .drift import find_drift

__all__ = ['Source', 'at_rate', 'check_rate', 'drift_of', 'read_notes', 'read_recordings', 'read_source']

FARTHEST = 1000  # times that a rate may be off: beyond, it is in another unit


@dataclass(frozen=True, eq=False)
class Source:
    """Recordings of one array or file.

    Attributes:
        name (str): The file, or the place among the inputs, as 'input 0'.
        recordings (tuple[tuple[str, ndarray, float], ...]): Of each recording its name inside the source, empty where the
            source is one recording, the samples ``(T, C)`` float32 in the contract's order and at its rate, and the seconds
            from the source's first sample to its own.
        rate (float): Before resampling, in Hz.
        stamped (float, optional): Rate in Hz that nobody has told and that time stamps alone show.
        notes (tuple[str, ...]): What was repaired or left out.
    """

    name: str
    recordings: tuple[tuple[str, NDArray, float], ...]
    rate: float
    stamped: float | None = None
    notes: tuple[str, ...] = ()


def read_source(value: Any, contract: Contract, rate: float | None = None, place: int = 0) -> Iterator[Source]:
    """Read one input as :func:`read_recordings`, and put it on the grid of the contract's rate."""
    for source in read_recordings(value, contract, rate, place):
        yield at_rate(source, contract.rate)


def read_recordings(value: Any, contract: Contract, rate: float | None = None, place: int = 0) -> Iterator[Source]:
    """Read one input as it was recorded.

    Args:
        value (Any): An array ``(T, C)``, or N of one length ``(N, T, C)``, time first; a mapping or a data frame with a column
            for each channel; or the path of a CSV, Parquet, ``.npy`` or ``.npz`` file, or of a folder that
            ``recordings.yml`` or a reader describes.
        contract (Contract): Of the student.
        rate (float, optional): Of the input, in Hz; by default what the file says, else the contract's.
        place (int): Number of the input, for messages.

    Yields:
        Source: One for each array and each file, at its own rate.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Channels are missing, are too many or have other units, the orientation cannot be seen, values are NaN, a
            file is damaged, or rates contradict each other.
    """
    if isinstance(value, (str, os.PathLike)):
        yield from _of_path(Path(value), contract, rate)
    else:
        name = f'input {place}'
        parts = _of_array(name, value, contract)
        yield Source(name, tuple((part, samples, 0.0) for part, samples in parts), rate or contract.rate)


def at_rate(source: Source, rate: float) -> Source:
    """Put recordings on the grid of the contract's rate.

    Straight lines between samples, and the mean over a step of the grid where samples are denser, which is also how readers
    put recordings on a grid. It takes any quotient of rates, rings at no edge, and every value depends on samples of one
    step alone: a stream comes to the same by the same code.
    """
    if source.rate == rate:
        return source
    check_rate(source.name, source.rate, rate)
    recordings = []
    for name, samples, begin in source.recordings:
        grid = Resampling(source.rate, rate, samples.shape[1])
        recordings.append((name, np.concatenate([grid.add(samples), grid.end()]), begin))
    return replace(source, recordings=tuple(recordings))


def check_rate(name: str, given: float, rate: float) -> None:
    """Refuse a given rate that is so far from a contract's, both in Hz, that it must be in another unit."""
    if not 1 / FARTHEST <= given / rate <= FARTHEST:
        raise ValueError(f'{name} is at {given:g} Hz, and the student reads {rate:g} Hz: is the rate in Hz?')


def read_notes(sources: Sequence[Source], rate: float) -> list[str]:
    """Return what reading has repaired, and one sentence for each rate that is changed to the contract's."""
    notes = [note for source in sources for note in source.notes]
    for other in sorted({source.rate for source in sources} - {rate}):
        names = [source.name for source in sources if source.rate == other]
        lost = f'; what is faster than {other / 2:.4g} Hz is not in it' if other < rate else ''
        notes.append(f'resampled from {other:.4g} Hz to the {rate:g} Hz of the student{lost}: {list_names(names)}')
    return notes


def drift_of(source: Source, contract: Contract) -> list[str]:
    """Say how a source at the contract's rate differs from training, its name before each sentence."""
    signals = [samples for _, samples, _ in source.recordings]
    return [f'{source.name}: {sentence}' for sentence in find_drift(contract, signals, source.stamped)]


def _of_array(name: str, value: Any, contract: Contract) -> list[tuple[str, NDArray]]:
    """Return recordings ``(T, C)`` of an array or of named columns."""
    channels, count = contract.channels, len(contract.channels)
    if isinstance(value, Mapping) or hasattr(value, 'columns'):
        columns = _select(name, list(value), contract)
        shapes = list(dict.fromkeys(np.shape(value[column]) for column in columns))
        if len(shapes) > 1 or len(shapes[0]) != 1:
            raise ValueError(f'{name}: channels have the shapes {list_names(sorted(map(str, shapes)))}, expected one (T,)')
        return [('', check_samples(name, np.stack([np.asarray(value[column]) for column in columns], 1), channels))]
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    if not isinstance(value, np.ndarray):
        raise ValueError(
            f'{name} is a {type(value).__name__}: expected an array (T, {count}), a dict of channels, a data frame or a path'
        )
    shape = value.shape
    if value.ndim not in (2, 3) or shape[-1] != count:
        turned = value.ndim in (2, 3) and shape[-2] == count
        hint = '; time comes first: swapaxes(-1, -2) turns the array' if turned else ''
        raise ValueError(
            f'{name} has shape {shape}, expected (T, {count}), or (N, T, {count}) for N of one length: the channels '
            f'{list_names(channels, 30)}{hint}'
        )
    if shape[-2] == count:
        raise ValueError(
            f'{name} has shape {shape}: as many samples as channels, so that the orientation (T, {count}) cannot be seen; '
            'give more samples, or a dict of channels'
        )
    if value.ndim == 2:
        return [('', check_samples(name, value, channels))]
    return [(str(index), check_samples(f'{name}, window {index}', window, channels)) for index, window in enumerate(value)]


def _select(where: str, names: Sequence[str], contract: Contract) -> tuple[str, ...]:
    """Refuse columns among which a channel of the contract is missing; the order of the columns does not count."""
    missing = [channel for channel in contract.channels if names.count(channel) != 1]
    if missing:
        twice = [channel for channel in missing if channel in names]
        others = {str(name).lower(): str(name) for name in names if name not in contract.channels}
        question = suggest(others.get(missing[0].lower(), missing[0]), list(others.values()))
        raise ValueError(
            f'{where} {"has several channels" if twice else "has no channel"} {list_names(twice or missing, 30)}; the student '
            f'reads {list_names(contract.channels, 30)}, and there is {list_names(list(map(str, names)), 30)}'
            f'{f"; {question}" if question and not twice else ""}'
        )
    return contract.channels


def _of_path(path: Path, contract: Contract, rate: float | None) -> Iterator[Source]:
    if not path.exists():
        raise FileNotFoundError(f'{path} does not exist')
    if path.suffix.lower() == '.npz':
        yield from _of_reader(ArrayRecordings(path), contract, rate)
    elif path.suffix.lower() == '.npy':
        parts = _of_array(str(path), load_npy(path), contract)
        yield Source(str(path), tuple((name, samples, 0.0) for name, samples in parts), rate or contract.rate)
    elif path.is_dir() and not (path / LAYOUT).is_file():
        yield from _of_reader(_known(path), contract, rate)
    elif path.is_dir():
        layout = read_layout(path, labelled=False)
        for part in find_tables(path, layout)[0]:
            yield _of_table(path / part, path, contract, rate)
    else:
        yield _of_table(path, path.parent, contract, rate)


def _known(folder: Path) -> Reader:
    try:
        return find_reader(folder)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'{folder} has no {LAYOUT}, and no reader knows it: name its files, or describe them'
        ) from error


def _of_table(file: Path, folder: Path, contract: Contract, rate: float | None) -> Source:
    """Read a table as ``recordings.yml`` beside it says, or by the names in its first line."""
    stamped = None
    if (folder / LAYOUT).is_file():
        layout = read_layout(folder, labelled=False)
        _refuse_rate(str(file), float(layout.rate), rate)
        _select(str(folder / LAYOUT), list(layout.channels), contract)
        layout = replace(layout, channels=contract.channels)
    else:
        layout, names = describe_table(file, contract.channels, contract.rate, rate)
        _select(str(file), names, contract)
        stamped = layout.rate if rate is None and layout.rate != contract.rate else None
    recordings, notes = read_signals(file, layout)
    named = [(f'line {line}' if len(recordings) > 1 else '', samples, begin) for line, samples, begin in recordings]
    return Source(str(file), tuple(named), float(layout.rate), stamped, tuple(notes))


def _of_reader(reader: Reader, contract: Contract, rate: float | None) -> Iterator[Source]:
    where, own = str(reader.root), contract.stream == SIGNAL
    sensor = Sensor(reader.channels, float(reader.rate), reader.units) if own else reader.streams.get(contract.stream)
    if sensor is None:
        raise ValueError(f'{where}: {unknown_name("stream", contract.stream, list(reader.streams))}')
    _refuse_rate(where, sensor.rate, rate)
    chosen = [list(sensor.channels).index(name) for name in _select(where, list(sensor.channels), contract)]
    units = tuple(sensor.units[index] for index in chosen) if sensor.units else ()
    if units and contract.units and units != contract.units:
        raise ValueError(
            f'{where} has the units {list_names(units, 30)}, and the student has learned from {list_names(contract.units, 30)}'
        )
    for part in reader.parts():
        content = reader.read_checked(part)
        recordings = [piece for r in content.recordings for piece in _pieces(r, contract.stream, sensor.rate, chosen)]
        yield Source(reader.place(part), tuple(recordings), sensor.rate, None, content.notes)


def _pieces(recording: Recording, stream: str, rate: float, chosen: list[int]) -> Iterator[tuple[str, NDArray, float]]:
    """Yield the stretches without a gap of what a student reads: name, samples ``(T, C)`` and the begin in seconds."""
    if stream == SIGNAL:
        yield recording.name, np.ascontiguousarray(recording.signal[:, chosen], dtype=np.float32), 0.0
        return
    own = recording.streams.get(stream)
    if own is None:
        return
    bounds = [0, *own.gaps.ravel().tolist(), len(own.signal)]
    for start, stop in zip(bounds[::2], bounds[1::2]):
        if stop > start:
            samples = np.ascontiguousarray(own.signal[start:stop, chosen], dtype=np.float32)
            yield recording.name, samples, own.offset + start / rate


def _refuse_rate(where: str, known: float, rate: float | None) -> None:
    if rate is not None and rate != known:
        raise ValueError(f'{where} is at {known:g} Hz, and rate={rate:g} was given: leave the rate out')
