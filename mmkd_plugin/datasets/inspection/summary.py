"""Summary of a data set: subjects, classes, rate, windows, repairs and oddities."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..names import list_names, natural
from ..readers import Reader
from ..recordings import Recordings
from ..windows import cut_windows
from .alignment import describe_streams
from .sanity import find_oddities

__all__ = ['Inspection', 'format_inspection', 'inspect_recordings']

SHOWN, NAMES = 5, 12  # notes and names in a list, unless all are asked for
ROWS, COLUMNS, WIDTH = 24, 9, 11  # of the table, which fits a terminal of 120 letters


@dataclass(frozen=True)
class Inspection:
    """Facts of a data set, as :func:`inspect_recordings` finds them.

    Attributes:
        format (str): Name of the format and location of the data.
        data (Recordings): All recordings.
        window (int): Samples of a window.
        step (int): Samples from the start of a window to that of the next.
        subjects (tuple[str, ...]): In natural order.
        windows (ndarray): Windows of each subject and class, ``(S, K)``.
        short (int): Number of recordings that are too short for a window.
        measured (dict[float, int]): Number of parts by the rate of their files in Hz; empty where no rate is known.
        oddities (tuple[str, ...]): Sentences about what looks wrong.
        splits (tuple[str, ...]): Lines about the windows of each class in training, validation and test, where a config says
            who is in which.
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
    splits: tuple[str, ...] = ()


def inspect_recordings(data: Recordings, title: str, window: int, step: int, reader: Reader | None = None) -> Inspection:
    """Collect the facts of a data set.

    Args:
        data (Recordings): All recordings of the data set.
        title (str): Name of the format and location of the data.
        window (int): Samples of a window.
        step (int): Samples from the start of a window to that of the next.
        reader (Reader, optional): Reader that tells the rate of the files, where it resamples them.

    Raises:
        ValueError: Window or step is below 1.
    """
    if window < 1 or step < 1:
        raise ValueError(f'window and step are numbers of samples, at least 1; got window={window} and step={step}')
    windows, short = cut_windows(data.recordings, range(len(data.recordings)), window, step)
    subjects = tuple(sorted({r.subject for r in data.recordings}, key=natural))
    owner = np.array([subjects.index(r.subject) for r in data.recordings])
    table = np.zeros((len(subjects), len(data.classes)), dtype=int)
    np.add.at(table, (owner[windows.recording], windows.label), 1)
    rates = [reader.measured_rate(part) for part in reader.parts()] if reader else []
    measured = dict(Counter(float(f'{rate:.2g}') if rate < 100 else round(rate) for rate in rates if rate is not None))
    return Inspection(title, data, window, step, subjects, table, len(short), measured, tuple(find_oddities(data)))


def format_inspection(inspection: Inspection, verbose: bool = False) -> str:
    """Format the facts of a data set as lines to print.

    Args:
        inspection (Inspection): Facts from :func:`inspect_recordings`.
        verbose (bool): Whether to show all subjects, classes and notes, however many.
    """
    data, total = inspection.data, int(inspection.windows.sum())
    window, step = inspection.window, inspection.step
    most = max(len(inspection.subjects), len(data.classes), len(data.channels)) if verbose else NAMES
    facts = {
        'format': inspection.format,
        'subjects': f'{len(inspection.subjects)}: {list_names(inspection.subjects, most)}',
        'classes': f'{len(data.classes)}: {list_names(data.classes, most)}',
        'channels': f'{len(data.channels)}: {list_names(data.channels, most)}',
        'rate': _rate(inspection),
        'recordings': _recordings(inspection),
        **describe_streams(data, window, step, most),
        'windows': f'{total:,} of {window} samples ({_time(window / data.rate)}), a step of {step} apart',
        'balance': _balance(inspection),
        'notes': f'{len(data.notes)} (gaps, missing values, repairs, what is absent)' if data.notes else 'none',
    }
    if inspection.short:
        facts['windows'] += f'; {inspection.short:,} recording(s) are too short for one'
    wide = max(11, *map(len, facts))
    lines = [f'{name:{wide}} {fact}' for name, fact in facts.items()]
    shown = data.notes if verbose else data.notes[:SHOWN]
    lines += [f'  - {note}' for note in shown]
    if len(shown) < len(data.notes):
        lines.append(f'  … and {len(data.notes) - len(shown)} more: --verbose shows all')
    lines.append(f'{"looks wrong":11} {len(inspection.oddities) or "nothing"}')
    lines += [f'  - {oddity}' for oddity in inspection.oddities]
    return '\n'.join([*lines, '', *_table(inspection, verbose), *([''] if inspection.splits else []), *inspection.splits])


def _time(seconds: float) -> str:
    for unit, size in (('h', 3600), ('min', 60)):
        if seconds >= 2 * size:
            return f'{seconds / size:,.1f} {unit}'
    return f'{seconds:.3g} s'


def _rate(inspection: Inspection) -> str:
    rate = inspection.data.rate
    text = f'{rate:.4g} Hz' if rate >= 1 else f'{rate:.3g} Hz, a sample in {_time(1 / rate)}'
    each = ', '.join(f'{hz:g} Hz ({parts} part{"s" * (parts > 1)})' for hz, parts in sorted(inspection.measured.items()))
    return f'{text}; measured in the files: {each}' if each else text


def _recordings(inspection: Inspection) -> str:
    rate, lengths = inspection.data.rate, [len(r.signal) for r in inspection.data.recordings]
    unlabelled = sum(m.count for r in inspection.data.recordings for label, m in r.summary.moments.items() if label < 0)
    total, least, most = (_time(count / rate) for count in (sum(lengths), min(lengths), max(lengths)))
    text = f'{len(lengths):,}, together {total}, each from {least} to {most}'
    return f'{text}; {_time(unlabelled / rate)} of it without a label' if unlabelled else text


def _balance(inspection: Inspection) -> str:
    """Return the shares of the classes, and the number of subjects that lack one."""
    counts = inspection.windows.sum(0)
    if not counts.sum():
        return 'no window'
    present = np.flatnonzero(counts)
    ends = ('most', present[counts[present].argmax()]), ('fewest', present[counts[present].argmin()])
    texts = [f'{inspection.data.classes[i]} has {name}, {counts[i]:,} ({counts[i] / counts.sum():.1%})' for name, i in ends]
    if counts[present].min() == counts[present].max():
        texts = [f'{len(present)} classes have {counts[present[0]]:,} each']
    if len(present) < len(counts):
        texts.append(f'{len(counts) - len(present)} class(es) have none')
    lacking = int((inspection.windows == 0).any(1).sum())
    return ', '.join(texts) + f'; {lacking} of {len(inspection.subjects)} subject(s) lack some class' * bool(lacking)


def _table(inspection: Inspection, verbose: bool) -> list[str]:
    """Return the lines of a table of windows by subject and class, cut to a terminal's size unless verbose."""
    rows, columns = inspection.windows.shape if verbose else np.minimum(inspection.windows.shape, (ROWS, COLUMNS))
    first = max(map(len, ['subject', 'all', *inspection.subjects]))
    heads = [name if len(name) <= WIDTH else f'{name[: WIDTH - 1]}…' for name in (*inspection.data.classes[:columns], 'all')]
    counts = np.column_stack([inspection.windows[:, :columns], inspection.windows.sum(1)])  # (S, k + 1)
    lines = [(subject, *map('{:,}'.format, row)) for subject, row in zip(inspection.subjects[:rows], counts)]
    lines.append(('all', *map('{:,}'.format, counts.sum(0))))
    texts = [
        ' '.join([f'{name:{first}}', *(f'{cell:>{WIDTH}}' for cell in cells)]) for name, *cells in [('subject', *heads), *lines]
    ]
    hidden = {'subjects': len(inspection.subjects) - rows, 'classes': len(inspection.data.classes) - columns}
    left = [f'{count} more {name}' for name, count in hidden.items() if count]
    if left:
        texts.append(f'{" and ".join(left)} are counted in "all": --verbose shows them, and so does the plot.')
    return ['windows of each subject and class:', *texts]
