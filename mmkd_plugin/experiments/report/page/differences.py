"""Differences of subjects between every method and the baseline, as strips of marks on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...comparison import Comparison
from ...tables import Column, Table, Value
from .svg import Drawing, Scale, drawing, marker, path, tag, text, tick_label

__all__ = ['Strip', 'StripChart', 'strip_charts', 'subject_table']

WIDTH, BELOW = 480.0, 20.0  # below the marks is the interval
SIZE, FEWEST, MOST = 8.0, 3, 12  # of a mark; marks on each other that a strip has room for


@dataclass(frozen=True)
class Strip:
    """One method: its subjects, mean and interval."""

    comparison: Comparison
    drawing: Drawing


@dataclass(frozen=True)
class StripChart:
    """All methods on the same data, on one scale."""

    title: str
    axis: Drawing
    strips: tuple[Strip, ...]


def strip_charts(comparisons: Sequence[Comparison], equivalence: float) -> list[StripChart]:
    """Return a chart for every data set, and for all together, the largest mean difference first.

    Args:
        comparisons (Sequence[Comparison]): Behind the report.
        equivalence (float): Half the width of the band of differences that do not matter, in points.
    """
    charts = []
    for data in dict.fromkeys(each.data for each in comparisons):
        own = [each for each in comparisons if each.data == data and each.difference.mean is not None]
        own.sort(key=lambda each: (-(each.difference.mean or 0), each.method))
        values = [value for each in own for value in (*each.subjects.values(), each.difference.low, each.difference.high)]
        known = [value for value in values if value is not None]
        scale = Scale.around([*known, 0, -1.5 * equivalence, 1.5 * equivalence], 16, WIDTH - 16)
        title = data[0] if len(data) == 1 else f'{len(data)} data sets together'
        strips = tuple(Strip(each, _strip(each, scale, equivalence)) for each in own)
        if strips:
            charts.append(StripChart(title, _axis(scale), strips))
    return charts


def _axis(scale: Scale) -> Drawing:
    ticks = [text(scale(value), 11, _signed(value), 'middle', class_='tick') for value in scale.ticks(6)]
    return drawing(WIDTH, 16, ticks, 'scale of the differences, in points')


def _signed(value: float) -> str:
    return tick_label(value) if value <= 0 else f'+{tick_label(value)}'


def _strip(comparison: Comparison, scale: Scale, equivalence: float) -> Drawing:
    stacks = _stacks(comparison, scale)
    tallest = max((len(stack) for stack in stacks if len(stack) <= MOST), default=0)
    band = SIZE * max(FEWEST, tallest) + 4
    height, left, right = band + BELOW, scale(-equivalence), scale(equivalence)
    parts = [tag('rect', x=left, y=0.0, width=right - left, height=height, class_='band')]
    parts += [path([(scale(value), 0), (scale(value), height)], class_='grid') for value in scale.ticks(6)]
    parts.append(path([(scale(0), 0), (scale(0), height)], class_='zero'))
    parts += [mark for stack in stacks for mark in _marks(stack, scale, band / 2)]
    difference, y = comparison.difference, height - 9
    if difference.low is not None and difference.high is not None:
        ends = scale(difference.low), scale(difference.high)
        parts.append(path([(ends[0], y), (ends[1], y)], class_='interval'))
        parts += [path([(end, y - 4), (end, y + 4)], class_='interval') for end in ends]
    parts.append(marker('diamond', scale(difference.mean or 0), y, class_='mean'))
    label = f'{comparison.method}: mean difference {difference.mean:.2f} points, {difference.gained} of {difference.n} gain'
    return drawing(WIDTH, height, parts, label)


def _stacks(comparison: Comparison, scale: Scale) -> list[list[tuple[float, str]]]:
    """Return difference and name of the subjects, those together whose marks lie on each other."""
    stacks: dict[int, list[tuple[float, str]]] = {}
    for (data, subject), value in comparison.subjects.items():
        name = subject if len(comparison.data) == 1 else f'{data}, {subject}'
        stacks.setdefault(round((scale(value) - scale(0)) / SIZE), []).append((value, name))
    return [sorted(stack) for _, stack in sorted(stacks.items())]


def _marks(stack: list[tuple[float, str]], scale: Scale, middle: float) -> list[Drawing]:
    """Return marks on each other around the middle; one mark and a number where they are too many."""
    names = [f'{name}: {value:+.2f}'.replace('-', '−') for value, name in stack]
    kinds = ['up' if value > 0 else 'down' if value < 0 else 'circle' for value, _ in stack]
    if len(stack) > MOST:
        half = len(stack) // 2
        x = scale(stack[half][0])
        mark = marker(kinds[half], x, middle + SIZE / 2, '\n'.join(names), class_=f'subject {kinds[half]}')
        return [mark, text(x, middle - 2, str(len(stack)), 'middle', class_='count')]
    top = middle - SIZE * (len(stack) - 1) / 2
    places = [(scale(value), top + SIZE * place) for place, (value, _) in enumerate(stack)]
    return [marker(kind, *place, name, class_=f'subject {kind}') for kind, place, name in zip(kinds, places, names)]


def subject_table(comparisons: Sequence[Comparison], baseline: str) -> Table | None:
    """Return the differences of all subjects, a row for each and a column for each method; None without a comparison."""
    single = [each for each in comparisons if len(each.data) == 1]
    methods = sorted({each.method for each in single})
    subjects: dict[tuple[str, str], dict[str, float]] = {}
    for each in single:
        for key, value in each.subjects.items():
            subjects.setdefault(key, {})[each.method] = value
    columns = (Column('data'), Column('subject'), *(Column(name, 2) for name in methods))
    rows: list[tuple[Value, ...]] = [(*key, *(own.get(name) for name in methods)) for key, own in subjects.items()]
    title = f'Differences of subjects from {baseline}, in points'
    return Table('subjects', title, columns, tuple(rows)) if rows else None
