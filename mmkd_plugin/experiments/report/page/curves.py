"""Learning curves of methods, and weights of their teachers, over epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from ...cells import Cell
from .svg import MARKERS, Drawing, Panel, Scale, drawing, marker, path, spread_labels, text

__all__ = ['CurveChart', 'curve_charts', 'weight_charts']

WIDTH, LEFT, RIGHT = 340.0, 40.0, 330.0
ACCURACY, LOSS = (128.0, 24.0), (238.0, 164.0)  # where the axes of the two panels end and begin
POINTS = 80  # of a curve at most: more are not seen
LABELS = 94.0  # room for the names at the ends of lines
Curve = list[tuple[int, float, float, float]]  # epoch, mean, lowest and highest of the runs


@dataclass(frozen=True)
class CurveChart:
    """A drawing with its heading."""

    data: str
    name: str
    runs: int
    drawing: Drawing


def curve_of(cell: Cell, name: str) -> Curve:
    """Return mean, lowest and highest value of a curve over the runs of a cell, for epochs that all runs have.

    Args:
        cell (Cell): Of one method on one data set.
        name (str): Of the curve, as in the records.
    """
    by_epoch: dict[int, list[float]] = {}
    runs = [record['curves'] for record in cell.records.values() if record['curves'].get(name)]
    for curves in runs:
        for epoch, value in zip(curves['epoch'], curves[name]):
            if value is not None:
                by_epoch.setdefault(epoch, []).append(value)
    epochs = sorted(epoch for epoch, values in by_epoch.items() if len(values) == len(runs))
    step = -(-len(epochs) // POINTS) or 1
    kept = [epoch for index, epoch in enumerate(epochs) if index % step == 0 or index == len(epochs) - 1]
    return [(epoch, mean(by_epoch[epoch]), min(by_epoch[epoch]), max(by_epoch[epoch])) for epoch in kept]


def curve_charts(cells: Sequence[Cell], baseline: str | None) -> list[CurveChart]:
    """Return a chart for every method on every data set whose records have curves: validation accuracy above, loss below.

    Args:
        cells (Sequence[Cell]): From :func:`~mmkd_plugin.experiments.cells.cells_of`.
        baseline (str, optional): Its validation accuracy is in every chart of the same data.
    """
    students = [cell for cell in cells if cell.role == 'student' and cell.complete]
    curves = {(cell.data, cell.name): (curve_of(cell, 'val_accuracy'), curve_of(cell, 'loss')) for cell in students}
    charts = []
    for cell in students:
        accuracy, loss = curves[cell.data, cell.name]
        same = [own for (data, _), own in curves.items() if data == cell.data]
        base = curves.get((cell.data, baseline or ''), ([], []))[0] if cell.name != baseline else []
        if accuracy or loss:
            picture = _draw(
                cell, _percent(accuracy), loss, _percent(base), [point for own, _ in same for point in _percent(own)]
            )
            charts.append(CurveChart(cell.data, cell.name, len(cell.records), picture))
    return charts


def _percent(curve: Curve) -> Curve:
    return [(epoch, 100 * middle, 100 * low, 100 * high) for epoch, middle, low, high in curve]


def _draw(cell: Cell, accuracy: Curve, loss: Curve, base: Curve, same: Curve) -> Drawing:
    epochs = [point[0] for curve in (accuracy, loss, base) for point in curve]
    x = Scale(min(epochs), max(max(epochs), min(epochs) + 1), LEFT, RIGHT)
    parts: list[str] = []
    if accuracy:
        y = Scale.around([value for point in same for value in point[2:]], *ACCURACY)
        parts += [Panel(x, y, '', 'validation accuracy (%)', whole=True).axes(), *_lines(accuracy, x, y)]
        parts.append(path([(x(epoch), y(middle)) for epoch, middle, *_ in base], class_='line other'))
    if loss:
        y = Scale.around([0.0, *(value for point in loss for value in point[2:])], *LOSS, margin=0.0)
        parts += [Panel(x, y, 'epoch', 'training loss', y_ticks=3, whole=True).axes(), *_lines(loss, x, y)]
    last = f', {accuracy[-1][1]:.1f} % at the end' if accuracy else ''
    return drawing(WIDTH, LOSS[0] + 36, parts, f'learning curves of {cell.name} on {cell.data}{last}')


def _lines(curve: Curve, x: Scale, y: Scale) -> list[Drawing]:
    """Return the mean as a line over the range of the runs."""
    edge = [(x(epoch), y(high)) for epoch, _, _, high in curve] + [(x(epoch), y(low)) for epoch, _, low, _ in reversed(curve)]
    lines = [
        path(edge, close=True, class_='range'),
        path([(x(epoch), y(middle)) for epoch, middle, *_ in curve], class_='line'),
    ]
    if len(curve) == 1:
        lines.append(marker('circle', x(curve[0][0]), y(curve[0][1]), class_='mean'))
    return lines


def weight_charts(cells: Sequence[Cell]) -> list[CurveChart]:
    """Return a chart of the weights of the teachers over epochs for every transfer that weighs several, means over runs."""
    charts = []
    for cell in cells:
        names = {name for record in cell.records.values() for name in record['curves'] if name.startswith('weight_')}
        if cell.role != 'student' or not cell.complete:
            continue
        transfers: dict[str, dict[str, Curve]] = {}
        for name in sorted(names):
            transfer, _, teacher = name.removeprefix('weight_').partition('/')
            transfers.setdefault(transfer, {})[teacher] = curve_of(cell, name)
        for transfer, lines in transfers.items():
            charts.append(CurveChart(cell.data, f'{cell.name}: {transfer}', len(cell.records), _weights(lines, transfer)))
    return charts


def _weights(lines: Mapping[str, Curve], transfer: str) -> Drawing:
    epochs = [point[0] for curve in lines.values() for point in curve]
    x = Scale(min(epochs), max(max(epochs), min(epochs) + 1), LEFT, RIGHT - LABELS)
    y = Scale.around([0.0, *(point[1] for curve in lines.values() for point in curve)], *ACCURACY, margin=0.0)
    parts: list[str] = [Panel(x, y, 'epoch', 'mean weight', x_ticks=4, whole=True).axes()]
    ends = spread_labels([y(curve[-1][1]) for curve in lines.values()], 12, ACCURACY[1], ACCURACY[0])
    for index, ((teacher, curve), end) in enumerate(zip(lines.items(), ends)):
        kind = list(MARKERS)[index % len(MARKERS)]
        parts.append(path([(x(epoch), y(middle)) for epoch, middle, *_ in curve], class_=f'line dash{index % 4}'))
        thinned = curve[:: max(1, len(curve) // 5)]
        parts += [marker(kind, x(epoch), y(middle), class_=f'end k{index % 8}') for epoch, middle, *_ in thinned]
        parts.append(marker(kind, RIGHT - LABELS + 10, end, class_=f'end k{index % 8}'))
        parts.append(text(RIGHT - LABELS + 17, end + 3.5, teacher, most=11, class_='tick'))
    return drawing(WIDTH, ACCURACY[0] + 36, parts, f'mean weights of {", ".join(lines)} in the transfer {transfer}')
