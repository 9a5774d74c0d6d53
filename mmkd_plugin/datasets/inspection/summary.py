"""What a data set holds: subjects, classes, rate, windows, repairs, and what looks wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..protocols import natural
from ..readers import Reader
from ..recordings import Recordings
from ..windows import cut_windows
from .sanity import find_oddities

__all__ = ['Inspection', 'format_inspection', 'inspect_recordings']

SHOWN = 5  # notes, unless all are asked for
ROWS, COLUMNS, WIDTH = 24, 9, 11  # of the table, which fits a terminal of 120 letters


@dataclass(frozen=True)
class Inspection:
    """What was seen.

    Attributes:
        format (str): Name of the format, and where the data are.
        data (Recordings): All of them.
        window (int): Samples of a window.
        step (int): Samples from the start of a window to that of the next.
        subjects (tuple[str, ...]): In natural order.
        windows (ndarray): Windows of each subject and class, ``(S, K)``.
        short (int): Recordings that are too short for a window.
        measured (dict[float, int]): Rates in Hz that the files have, and how many parts have them; empty if not known.
        oddities (tuple[str, ...]): What looks wrong.
    """

    format: str
    data: Recordings
    window: int
    step: int
    subjects: tuple[str, ...]
    windows: NDArray
    short: int
    measured: dict[float, int]
    oddities: tuple[str, ...]


def inspect_recordings(data: Recordings, title: str, window: int, step: int, reader: Reader | None = None) -> Inspection:
    """Look at recordings.

    Args:
        data (Recordings): All of a data set.
        title (str): Name of the format, and where the data are.
        window (int): Samples of a window.
        step (int): Samples from the start of a window to that of the next.
        reader (Reader, optional): Asked for the rate that the files have, if it resamples them.

    Returns:
        Inspection: What was seen.

    Raises:
        ValueError: Window or step are below 1.
    """
    if window < 1 or step < 1:
        raise ValueError(f'window and step are numbers of samples, at least 1; got window={window} and step={step}')
    windows, short = cut_windows(data.recordings, range(len(data.recordings)), window, step)
    subjects = tuple(sorted({r.subject for r in data.recordings}, key=natural))
    whose = np.array([subjects.index(r.subject) for r in data.recordings])
    table = np.zeros((len(subjects), len(data.classes)), dtype=int)
    np.add.at(table, (whose[windows.recording], windows.label), 1)
    rates = [reader.measured_rate(part) for part in reader.parts()] if reader else []
    measured = dict(Counter(float(f'{rate:.2g}') if rate < 100 else round(rate) for rate in rates if rate is not None))
    return Inspection(title, data, window, step, subjects, table, len(short), measured, tuple(find_oddities(data)))


def format_inspection(found: Inspection, verbose: bool = False) -> str:
    """Lines for people.

    Args:
        found (Inspection): What was seen.
        verbose (bool): All subjects, classes and notes, however many.
    """
    data, total = found.data, int(found.windows.sum())
    facts = {
        'format': found.format,
        'subjects': f'{len(found.subjects)}: {_some(found.subjects, 12, verbose)}',
        'classes': f'{len(data.classes)}: {_some(data.classes, 12, verbose)}',
        'channels': f'{len(data.channels)}: {_some(data.channels, 12, verbose)}',
        'rate': _rate(found),
        'recordings': _recordings(found),
        'windows': f'{total:,} of {found.window} samples ({_time(found.window / data.rate)}), a step of {found.step} apart',
        'balance': _balance(found),
        'notes': f'{len(data.notes)} (gaps, missing values, repairs, what is absent)' if data.notes else 'none',
    }
    if found.short:
        facts['windows'] += f'; {found.short:,} recording(s) are too short for one'
    lines = [f'{name:11} {fact}' for name, fact in facts.items()]
    shown = data.notes if verbose else data.notes[:SHOWN]
    lines[len(lines) :] = [f'  - {note}' for note in shown]
    if len(shown) < len(data.notes):
        lines.append(f'  … and {len(data.notes) - len(shown)} more: --verbose shows all')
    lines.append(f'{"looks wrong":11} {len(found.oddities) or "nothing"}')
    lines += [f'  - {oddity}' for oddity in found.oddities]
    return '\n'.join([*lines, '', *_table(found, verbose)])


def _some(names: tuple[str, ...], most: int, verbose: bool) -> str:
    if verbose or len(names) <= most:
        return ', '.join(names)
    return f'{", ".join(names[: most - 2])}, … {names[-1]}'


def _time(seconds: float) -> str:
    for unit, size in (('h', 3600), ('min', 60)):
        if seconds >= 2 * size:
            return f'{seconds / size:,.1f} {unit}'
    return f'{seconds:.3g} s'


def _rate(found: Inspection) -> str:
    rate = found.data.rate
    said = f'{rate:.4g} Hz' if rate >= 1 else f'{rate:.3g} Hz, a sample in {_time(1 / rate)}'
    each = ', '.join(f'{hz:g} Hz ({parts} part{"s" * (parts > 1)})' for hz, parts in sorted(found.measured.items()))
    return f'{said}; measured in the files: {each}' if each else said


def _recordings(found: Inspection) -> str:
    rate, lengths = found.data.rate, [len(r.signal) for r in found.data.recordings]
    without = sum(m.count for r in found.data.recordings for label, m in r.summary.moments.items() if label < 0)
    total, least, most = (_time(count / rate) for count in (sum(lengths), min(lengths), max(lengths)))
    said = f'{len(lengths):,}, together {total}, each from {least} to {most}'
    return f'{said}; {_time(without / rate)} of it without a label' if without else said


def _balance(found: Inspection) -> str:
    """Shares of the classes, and who lacks some."""
    counts = found.windows.sum(0)
    if not counts.sum():
        return 'there is no window'
    there = np.flatnonzero(counts)
    ends = ('most', there[counts[there].argmax()]), ('fewest', there[counts[there].argmin()])
    said = [f'{found.data.classes[i]} has {name}, {counts[i]:,} ({counts[i] / counts.sum():.1%})' for name, i in ends]
    if counts[there].min() == counts[there].max():
        said = [f'{len(there)} classes have {counts[there[0]]:,} each']
    if len(there) < len(counts):
        said.append(f'{len(counts) - len(there)} class(es) have none')
    lacking = int((found.windows == 0).any(1).sum())
    return ', '.join(said) + f'; {lacking} of {len(found.subjects)} subject(s) lack some class' * bool(lacking)


def _table(found: Inspection, verbose: bool) -> list[str]:
    """Windows of each subject and class, cut where there is no end of them."""
    rows, columns = found.windows.shape if verbose else np.minimum(found.windows.shape, (ROWS, COLUMNS))
    first = max(map(len, ['subject', 'all', *found.subjects]))
    heads = [name if len(name) <= WIDTH else f'{name[: WIDTH - 1]}…' for name in (*found.data.classes[:columns], 'all')]
    whole = np.column_stack([found.windows[:, :columns], found.windows.sum(1)])  # (S, k + 1)
    lines = [(subject, *map('{:,}'.format, row)) for subject, row in zip(found.subjects[:rows], whole)]
    lines.append(('all', *map('{:,}'.format, whole.sum(0))))
    said = [
        ' '.join([f'{name:{first}}', *(f'{cell:>{WIDTH}}' for cell in cells)]) for name, *cells in [('subject', *heads), *lines]
    ]
    hidden = {'subjects': len(found.subjects) - rows, 'classes': len(found.data.classes) - columns}
    left = [f'{count} more {name}' for name, count in hidden.items() if count]
    if left:
        said.append(f'There are {" and ".join(left)}, counted in "all": --verbose shows them, and so does the picture.')
    return ['windows of each subject and class:', *said]
