"""Decisions of a student on windows of recordings: averaged where windows overlap, and as table, CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.text import csv_text, printable

__all__ = ['FORMATS', 'Decision', 'average_votes', 'format_decisions']

FORMATS = ('table', 'csv', 'json')
FIELDS = ('source', 'recording', 'start', 'end', 'class', 'probability')


@dataclass(frozen=True, eq=False)
class Decision:
    """Probabilities of the classes in a stretch of a recording.

    Attributes:
        source (str): The file, or the place among the inputs.
        recording (str): Name inside the source, empty where the source is one recording.
        start (float): In seconds from the source's first sample.
        end (float): Likewise, not included.
        probabilities (ndarray): ``(K, )``.
    """

    source: str
    recording: str
    start: float
    end: float
    probabilities: NDArray

    def to_dict(self, classes: Sequence[str], chosen: int | None = None) -> dict:
        """Return plain values, see :data:`FIELDS`, with ``probabilities`` by the names of the K classes.

        Args:
            classes (Sequence[str]): Names of the K classes.
            chosen (int, optional): Index of the class that is decided for; by default the most probable.
        """
        best = int(self.probabilities.argmax()) if chosen is None else chosen
        return {
            'source': self.source,
            'recording': self.recording,
            'start': round(self.start, 6),
            'end': round(self.end, 6),
            'class': classes[best],
            'probability': float(self.probabilities[best]),
            'probabilities': {name: float(value) for name, value in zip(classes, self.probabilities)},
        }


def average_votes(decisions: Sequence[Decision]) -> list[Decision]:
    """Average the probabilities of overlapping windows.

    Args:
        decisions (Sequence[Decision]): Of windows; those of one recording stand together.

    Returns:
        list[Decision]: One for each stretch between two successive bounds of windows that some window covers, with the
        mean over the windows that cover it.
    """
    recordings: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        recordings.setdefault((decision.source, decision.recording), []).append(decision)
    return [stretch for each in recordings.values() for stretch in _stretches(each)]


def _stretches(decisions: Sequence[Decision]) -> Iterator[Decision]:
    spans = np.round([(decision.start, decision.end) for decision in decisions], 6)  # bounds that differ by rounding are one
    bounds = np.unique(spans)
    first, last = np.searchsorted(bounds, spans).T
    totals = np.zeros((len(bounds) - 1, len(decisions[0].probabilities)))
    counts = np.zeros(len(bounds) - 1)
    for decision, begin, end in zip(decisions, first, last):
        totals[begin:end] += decision.probabilities
        counts[begin:end] += 1
    for index in np.flatnonzero(counts):
        yield replace(
            decisions[0],
            start=float(bounds[index]),
            end=float(bounds[index + 1]),
            probabilities=totals[index] / counts[index],
        )


def format_decisions(rows: Sequence[Mapping], kind: str = 'table') -> str:
    """Return decisions as text.

    Args:
        rows (Sequence[Mapping]): As :class:`~mmkd_plugin.deploy.SignalInferencer` returns them.
        kind (str): 'table' for people, 'csv' with the probability of every class in a column of its own, or 'json', a list. A
            name that a spreadsheet would take for a formula has an apostrophe in front in 'csv'.

    Returns:
        str: Lines, each with its end.

    Raises:
        ValueError: The kind is unknown.
    """
    if kind not in FORMATS:
        raise ValueError(f'the format must be one of {", ".join(FORMATS)}, got {kind!r}')
    if kind == 'json':
        return json.dumps(list(rows), indent=2, ensure_ascii=False) + '\n'
    return _csv(rows) if kind == 'csv' else _table(rows)


def _csv(rows: Sequence[Mapping]) -> str:
    classes = list(rows[0]['probabilities']) if rows else []
    lines = [[*FIELDS, *(f'p({name})' for name in classes)]]
    for row in rows:
        shares = [f'{value:.6f}' for value in row['probabilities'].values()]
        lines.append([*(row[name] for name in FIELDS[:-1]), f'{row["probability"]:.6f}', *shares])
    return csv_text(lines)


def _table(rows: Sequence[Mapping]) -> str:
    """Align columns; those that are the same everywhere and empty are left out."""
    columns = [name for name in FIELDS if name != 'recording' or any(row[name] for row in rows)]
    texts = [[*columns]]
    for row in rows:
        spelled = {
            **row,
            'start': f'{row["start"]:.2f} s',
            'end': f'{row["end"]:.2f} s',
            'probability': f'{row["probability"]:.1%}',
        }
        texts.append([printable(str(spelled[name]), lines=False) for name in columns])
    widths = [max(map(len, column)) for column in zip(*texts)]
    numbers = [name in ('start', 'end', 'probability') for name in columns]
    lines = [
        '  '.join(text.rjust(width) if number else text.ljust(width) for text, width, number in zip(line, widths, numbers))
        for line in texts
    ]
    return ''.join(f'{line.rstrip()}\n' for line in lines)
