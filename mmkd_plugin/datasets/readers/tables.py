"""Recordings of a user: a folder of CSV or Parquet files, and a file that describes them."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from ..names import NOBODY, is_missing, list_names, natural
from ..recordings import Recording
from .base import Part, Reader
from .clock import cut_in_time, read_seconds
from .columns import Columns, column_names, read_columns
from .layout import LAYOUT, Layout, read_layout
from .missing import interpolate
from .stamps import cut_by_stamps, on_grid
from .text import damaged

__all__ = ['Tables', 'find_tables', 'read_signals']


@TASK_UTILS.register_module()
class Tables(Reader):
    """Recordings in CSV or Parquet files, read as a file ``recordings.yml`` beside them describes.

    That file, in YAML, for instance::

        channels: [acc_x, acc_y, acc_z]      # columns of the signal
        rate: 50                             # Hz
        label: activity                      # a column, or {from: file name}
        subject: {from: file name}           # the same
        # All of the following may be absent.
        file_name: '{subject}_*'             # with {label} and {subject}; '{label}/{subject}_*' names folders, too
        time: {column: t, unit: ms, gap: 0, resample: false}  # s, ms, ns or iso; samples that may be missing; by stamps?
        classes: [rest, walk]                # otherwise all in the data, in natural order
        files: '*.csv'                       # which files; '**/*.parquet' for Parquet in folders of any depth
        missing: refuse                      # or interpolate, or cut: missing values
        separator: ','                       # of CSV: , ; tab or blanks
        columns: [t, acc_x, acc_y, acc_z]    # all columns, where the first line does not name them

    CSV files are in UTF-8, compressed by gzip where their name ends in ``.gz``. Every file is a part. A new recording begins
    with every file, where the subject changes, where time shows more missing samples than ``gap``, and, with ``missing: cut``,
    after rows with missing values. It is named by its file and first line. A label that stands in a column is one per sample; a
    field left empty means none, and so does one that holds NaN, None, null or the like, unless ``classes`` lists that word.
    Files and folders whose name begins with a dot are left out with a note, unless ``files`` has such a name; the ending of
    ``files`` stands for capitals, too.

    With a time column, rows that occur twice are left out with a note; time that goes back by a sample or more, that stands
    still while values change and does not catch up, or that is more than a tenth off the rate is an error. Times that are late
    or that repeat are jitter where later ones are on the grid again, with a note: rows then count as even. With
    ``resample: true`` they go by their stamps instead: they are put on the grid of ``rate`` along straight lines, or as means
    where they are denser; rows of one stamp count as their mean, and a sample has the label of the row nearest in time. The
    clock may run at another rate, and ``gap`` counts rows at the clock's own.

    Args:
        root (str | Path): Folder that holds ``recordings.yml``.
    """

    format = 2  # since words for a missing label are no class, and quotes after a blank no part of a label

    @property
    def layout(self) -> Layout:
        """Content of ``recordings.yml``."""
        return read_layout(self.root)

    @property
    def channels(self) -> tuple[str, ...]:
        """As ``recordings.yml`` names them."""
        return self.layout.channels

    @property
    def rate(self) -> float:
        """As ``recordings.yml`` says, in Hz."""
        return float(self.layout.rate)

    @property
    def classes(self) -> tuple[str, ...]:
        """As ``recordings.yml`` lists them, or all labels of all parts."""
        return self.layout.classes or _find_classes(self.root, self.fingerprint())

    def parts(self) -> list[str]:
        """Return the paths of the files below the folder, in natural order."""
        return find_tables(self.root, self.layout)[0]

    def notes(self) -> list[str]:
        """Name the hidden files that are left out."""
        _, hidden = find_tables(self.root, self.layout)
        if not hidden:
            return []
        return [f'{self.root}: {len(hidden)} hidden file(s), whose name begins with a dot, are left out: {list_names(hidden)}']

    def files(self) -> list[Path]:
        """Return the tables and ``recordings.yml``."""
        return [self.root / part for part in self.parts()] + [self.root / LAYOUT]

    def read(self, part: str) -> Part:
        """Read the recordings of one file."""
        layout, file = self.layout, self.root / part
        told = layout.from_file(part)
        columns = _read(file, layout)
        notes = list(columns.notes)
        labels = _labels(file, layout, columns, told, self.classes, notes)
        subjects = _subjects(file, layout, columns, told)
        recordings = []
        for rows, filled, _ in _pieces(file, layout, columns, subjects, notes):
            label = labels[rows] if isinstance(labels, np.ndarray) else labels
            recordings.append(Recording(filled, label, str(subjects[rows[0]]), f'{part}:{columns.lines[rows[0]]}'))
        return Part(tuple(recordings), tuple(notes))


def find_tables(root: Path, layout: Layout) -> tuple[list[str], list[str]]:
    """Return the paths below a folder of the files that a layout asks for, and the hidden ones, each in natural order.

    Raises:
        ValueError: There is no such file.
    """
    pattern = layout.files
    wanted = re.sub(r'(\.\w+)+$', lambda ending: ''.join(_either_case(letter) for letter in ending[0]), pattern)
    paths = [path.relative_to(root).as_posix() for path in sorted(root.glob(wanted)) if path.is_file()]
    matching = sorted((part for part in paths if part != LAYOUT), key=natural)
    hidden = [] if _is_hidden(pattern) else [part for part in matching if _is_hidden(part)]
    parts = [part for part in matching if part not in hidden]
    if not parts:
        left_out = f'; left out are hidden files: {list_names(hidden)}' if hidden else ''
        raise ValueError(f'{root} holds no file {pattern!r}, which {LAYOUT} there asks for{left_out}')
    return parts, hidden


def read_signals(file: Path, layout: Layout) -> tuple[list[tuple[str, NDArray, float]], list[str]]:
    """Read the recordings of one table without their labels, for a network that is to tell these.

    Args:
        file (Path): The table. The column of subjects may be missing; where it is there, recordings end with a subject.
        layout (Layout): How the file is to be read.

    Returns:
        tuple[list[tuple[str, ndarray, float]], list[str]]: Of each recording the line of its first row, samples ``(T, C)``
        float32, and the seconds from the file's first row to its own; and notes.

    Raises:
        ValueError: As :meth:`Tables.read`.
    """
    told = layout.subject in column_names(file, layout.separator, layout.columns)
    layout = replace(layout, label=None, subject=layout.subject if told else None)
    columns = _read(file, layout)
    notes = list(columns.notes)
    subjects = _subjects(file, layout, columns, {'subject': ''})
    pieces = _pieces(file, layout, columns, subjects, notes)
    return [(str(columns.lines[rows[0]]), filled, begin) for rows, filled, begin in pieces], notes


def _pieces(
    file: Path, layout: Layout, columns: Columns, subjects: NDArray, notes: list[str]
) -> list[tuple[NDArray, NDArray, float]]:
    """Cut a table into recordings: rows of the samples, samples ``(T, C)`` float32, seconds since the table's first row."""
    signal = columns.numbers[:, : len(layout.channels)]
    missing = _missing(file, layout, columns, signal, notes)
    pieces = np.split(np.arange(len(signal)), np.flatnonzero(subjects[1:] != subjects[:-1]) + 1)
    seconds = np.arange(len(signal)) / layout.rate
    if layout.time:
        seconds = read_seconds(file, columns, layout)
        cut_one = cut_by_stamps if layout.resample else cut_in_time
        cuts = [cut_one(file, columns, seconds, piece, layout) for piece in pieces]
        pieces = [piece for cut, _ in cuts for piece in cut]
        notes += [note for _, more in cuts for note in more]
    if layout.missing == 'cut':
        pieces = [run for piece in pieces for run in _whole_runs(piece, missing)]
    filled = (interpolate(file, columns.lines[rows[0]], signal[rows], layout.channels).astype(np.float32) for rows in pieces)
    made = list(zip(pieces, filled))
    if layout.resample:
        made = [on_grid(seconds[rows], rows, samples, layout.rate) for rows, samples in made]
    return [(rows, samples, float(seconds[rows[0]])) for rows, samples in made]


def _either_case(letter: str) -> str:
    """Return the pattern of a letter in both cases."""
    return f'[{letter.lower()}{letter.upper()}]' if letter.isalpha() else letter


def _is_hidden(path: str) -> bool:
    """Return whether a file, or a folder on the way to it, has a name that begins with a dot."""
    return any(part.startswith('.') for part in PurePosixPath(path).parts)


def _read(file: Path, layout: Layout) -> Columns:
    """Read the wanted columns; the time is the last of the numbers, or a text."""
    dates = layout.time if layout.unit == 'iso' else None
    numbers = (*layout.channels, *([layout.time] if layout.time and not dates else []))
    texts = dict.fromkeys(name for name in (layout.label, layout.subject, dates) if name is not None)
    return read_columns(file, numbers, tuple(texts), layout.separator, layout.columns)


@functools.lru_cache(maxsize=8)
def _find_classes(root: Path, fingerprint: str) -> tuple[str, ...]:
    """Return the classes of all parts; unchanged files, by their fingerprint, are scanned once per process."""
    reader = Tables(root)
    layout, labels = reader.layout, set()
    for part in reader.parts():
        if layout.label is None:
            labels.add(layout.from_file(part)['label'])
        else:
            columns = read_columns(root / part, (), (layout.label,), layout.separator, layout.columns)
            labels.update(columns.texts[layout.label])
    classes = tuple(sorted((label for label in labels if layout.label is None or not is_missing(label)), key=natural))
    if not classes:
        raise ValueError(f'{root}: no row of any file has a label in {layout.label!r}')
    return classes


def _labels(
    file: Path, layout: Layout, columns: Columns, told: dict[str, str], classes: tuple[str, ...], notes: list[str]
) -> int | NDArray:
    """Return the file's label, or that of each row with −1 for none, ``(n, )``; words for no label are noted."""
    indices = {name: index for index, name in enumerate(classes)}
    if layout.label is None:
        if told['label'] not in indices:
            raise ValueError(f'{file}: the label in the file name is {told["label"]!r}, expected one of {", ".join(classes)}')
        return indices[told['label']]
    texts = columns.texts[layout.label]
    absent = {text for text in set(texts) - set(indices) if is_missing(text)}
    labels = np.array([-1 if text in absent else indices.get(text, -2) for text in texts])
    if absent - {''}:
        words = sorted(absent - {''})
        rows = [row for row, text in enumerate(texts) if text in words]
        notes.append(
            f'{file}:{columns.lines[rows[0]]}: {len(rows):,} row(s) from here on have {", ".join(map(repr, words))} for '
            f"{layout.label}, which means no label; 'classes' in {LAYOUT} may list the word as a class"
        )
    if (labels == -2).any():
        row = int((labels == -2).argmax())
        raise damaged(
            file,
            columns.lines[row],
            f'{layout.label} is {texts[row][:40]!r}, expected one of {", ".join(classes)}, or nothing for none',
        )
    return labels


def _subjects(file: Path, layout: Layout, columns: Columns, told: dict[str, str]) -> NDArray:
    """Return the subject of each row, ``(n, )``."""
    if layout.subject is None:
        return np.full(len(columns.lines), told['subject'])
    subjects = np.array(columns.texts[layout.subject])
    absent = np.isin(subjects, NOBODY)
    if absent.any():
        row = int(absent.argmax())
        raise damaged(file, columns.lines[row], f'{layout.subject} is {str(subjects[row]) or "empty"}, expected a subject')
    return subjects


def _missing(file: Path, layout: Layout, columns: Columns, signal: NDArray, notes: list[str]) -> NDArray:
    """Return whether a value is missing in each row, ``(n, )``; missing values are noted, or refused."""
    missing = np.isnan(signal)
    rows = missing.any(1)
    if rows.any():
        row, count = int(rows.argmax()), f'{missing.sum():,} missing value(s) in {rows.sum():,} row(s) from here on'
        if layout.missing == 'refuse':
            channel = layout.channels[int(missing[row].argmax())]
            raise damaged(
                file,
                columns.lines[row],
                f"{channel} is missing, {count}; 'missing: interpolate' or 'missing: cut' in {LAYOUT} allows that",
            )
        done = 'filled along a straight line' if layout.missing == 'interpolate' else 'cut out, and a new recording begins'
        notes.append(f'{file}:{columns.lines[row]}: {count} {done}')
    return rows


def _whole_runs(rows: NDArray, missing: NDArray) -> list[NDArray]:
    """Return the runs of rows in which no value is missing."""
    complete = np.flatnonzero(~missing[rows])
    return [rows[run] for run in np.split(complete, np.flatnonzero(np.diff(complete) > 1) + 1) if len(run)]
