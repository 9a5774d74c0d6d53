"""Accuracy against the number of parameters and of multiplications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from ...cells import Cell
from ...tables import NAMES
from .svg import Drawing, Panel, Scale, drawing, marker, path, spread_labels, text

__all__ = ['SizeChart', 'size_charts']

WIDTH, LEFT, TOP = 340.0, 38.0, 26.0
SHAPES = {'student': 'circle', 'teacher': 'square', 'learner': 'up'}
TITLES = {'params': 'parameters', 'macs': 'MACs of a window'}
GAP = 11.0  # between two numbers


@dataclass(frozen=True)
class Point:
    """A network in the charts: its number, and what stands in the key."""

    number: int
    name: str
    role: str
    figure: float
    sizes: dict[str, int | None]

    @property
    def shape(self) -> str:
        return SHAPES[self.role]


@dataclass(frozen=True)
class SizeChart:
    """The charts of a data set."""

    data: str
    drawings: tuple[Drawing, ...]
    points: tuple[Point, ...]


def size_charts(cells: Sequence[Cell], metric: str, which: str) -> list[SizeChart]:
    """Return the charts of every data set; networks are numbered from the best on.

    Args:
        cells (Sequence[Cell]): From :func:`~mmkd_plugin.experiments.cells.cells_of`.
        metric (str): 'accuracy' or 'macro_f1'.
        which (str): 'best' on validation, or 'last' epoch.
    """
    charts = []
    for data in sorted({cell.data for cell in cells}):
        known = [
            (mean(cell.subjects(metric, which).values()), cell)
            for cell in cells
            if cell.data == data and cell.role in SHAPES and cell.complete and cell.subjects(metric, which)
        ]
        known.sort(key=lambda entry: (-entry[0], entry[1].name))
        points = tuple(
            Point(number, cell.name, cell.role, figure, {size: _size(cell, size) for size in TITLES})
            for number, (figure, cell) in enumerate(known, 1)
        )
        drawings = [
            _draw(points, size, f'{NAMES[metric]}, mean of subjects') for size in TITLES if any(p.sizes[size] for p in points)
        ]
        if drawings:
            charts.append(SizeChart(data, tuple(drawings), points))
    return charts


def _size(cell: Cell, name: str) -> int | None:
    """Return the size of the largest network among the runs of a cell."""
    return max((row[name] for row in cell.rows.values() if row[name]), default=None)


def _draw(points: Sequence[Point], size: str, title: str) -> Drawing:
    sizes = {point.number: float(point.sizes[size] or 0) for point in points if point.sizes[size]}
    points = [point for point in points if point.number in sizes]
    x = Scale.around(sizes.values(), LEFT + 6, WIDTH - 22, log=True)
    columns: dict[int, list[Point]] = {}
    for point in points:
        columns.setdefault(round(x(sizes[point.number]) / 24), []).append(point)
    height = max(260.0, TOP + 40 + (max(map(len, columns.values())) + 1) * GAP)
    y = Scale.around([point.figure for point in points], height - 40, TOP)
    parts: list[str] = [Panel(x, y, TITLES[size], title).axes()]
    for column in columns.values():
        places = spread_labels([y(point.figure) for point in column], GAP, TOP, height - 44)
        right = max(x(sizes[point.number]) for point in column)
        for point, place in zip(column, places):
            own = x(sizes[point.number]), y(point.figure)
            parts.append(path([own, (right + 8, place)], class_='leader'))
            parts.append(text(right + 9, place + 3.5, str(point.number), class_='tick'))
            parts.append(marker(point.shape, *own, f'{point.name}: {point.figure:.2f}', class_=f'role {point.role}'))
    return drawing(WIDTH, height, parts, f'{title} against {TITLES[size]}; the table below has the numbers')
