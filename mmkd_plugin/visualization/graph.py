"""A picture of networks and transfers: who learns what from whom, with shapes and weights."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .figure import new_figure

__all__ = ['Graph', 'GraphNetwork', 'GraphTransfer', 'draw_graph', 'spell']

LINE, GAP = 0.17, 0.3  # inches from a line of text to the next, and from a box to the next
WIDTHS, SPACE = (3.0, 3.9, 3.0), 1.1  # inches of the three columns of boxes, and between them
MARGIN = 0.25
LETTERS = 15  # that have room on an inch of a line


@dataclass(frozen=True)
class GraphNetwork:
    """One network of a distiller.

    Attributes:
        name (str): Of the network.
        role (str): 'teacher', 'student' (deployed) or 'learner'.
        reads (str): View, or the networks whose taps are read.
        backbone (str): Kind of its backbone, or of the network where it reads others.
        params (int): Number of parameters.
        taps (tuple[tuple[str, tuple], ...]): Names and shapes of its taps for one sample.
        label_weight (float, optional): Weight of the loss on the labels; None for a teacher.
    """

    name: str
    role: str
    reads: str
    backbone: str
    params: int
    taps: tuple[tuple[str, tuple[int, ...]], ...]
    label_weight: float | None = None


@dataclass(frozen=True)
class GraphTransfer:
    """One transfer of a distiller.

    Attributes:
        name (str): Of the transfer.
        kind (str): Its class.
        sources (tuple[tuple[str, str], ...]): Address and shapes of every source.
        target (tuple[str, str]): Address and shapes of the target.
        weight (str): λ, or its schedule.
        weighting (str): How several sources are weighed; empty for one.
        connectors (tuple[str, ...]): Chain from the target to each source, with its number of parameters.
    """

    name: str
    kind: str
    sources: tuple[tuple[str, str], ...]
    target: tuple[str, str]
    weight: str
    weighting: str
    connectors: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """Networks and transfers of a config."""

    networks: tuple[GraphNetwork, ...]
    transfers: tuple[GraphTransfer, ...]


@dataclass(frozen=True)
class _Box:
    left: float
    middle: float  # inches below the top
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width


def spell(shape: Sequence[int]) -> str:
    """Return a shape as it is written in a picture, ``16×100``."""
    return '×'.join(map(str, shape))


def draw_graph(graph: Graph, title: str) -> Any:
    """Draw teachers to the left, transfers between, and what learns to the right.

    Args:
        graph (Graph): Networks and transfers.
        title (str): A line above.

    Returns:
        matplotlib.figure.Figure: See :func:`~mmkd_plugin.visualization.save_figure`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    teachers = {each.name: _wrap(_network_lines(each), 0) for each in graph.networks if each.role == 'teacher'}
    transfers = {each.name: _wrap(_transfer_lines(each), 1) for each in graph.transfers}
    learners = {each.name: _wrap(_network_lines(each), 2) for each in graph.networks if each.role != 'teacher'}
    columns = [teachers, transfers, learners]
    height = max(sum(_height(lines) + GAP for lines in column.values()) for column in columns) + 2 * MARGIN + 0.9
    drawn = [bool(teachers), bool(transfers), True]
    width = sum(w for w, is_drawn in zip(WIDTHS, drawn) if is_drawn) + SPACE * (sum(drawn) - 1) + 2 * MARGIN
    figure = new_figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.axis('off')
    ax.text(MARGIN, 0.3, title.replace('$', r'\$'), fontsize=10, weight='bold', va='center')
    places: list[dict[str, _Box]] = []
    left = MARGIN
    for column, column_width, is_drawn in zip(columns, WIDTHS, drawn):
        places.append(_place(column, left, column_width, height))
        for name, lines in column.items():
            _draw_box(ax, places[-1][name], lines, rounded=column is transfers)
        left += (column_width + SPACE) * is_drawn
    _draw_arrows(ax, graph, *places)
    ax.text(
        MARGIN,
        height - 0.2,
        'thin arrows: read by a transfer; thick: taught by it',
        fontsize=8,
        va='center',
        style='italic',
    )
    return figure


def _network_lines(network: GraphNetwork) -> list[str]:
    """Return the text of a network, its name first."""
    lines = [f'{network.name} ({network.role})', f'reads {network.reads}', f'{network.backbone}, {network.params:,} parameters']
    lines += [f'{name}  {spell(shape)}' for name, shape in network.taps]
    if network.label_weight is not None:
        lines.append(f'loss on labels × {network.label_weight:g}' if network.label_weight else 'no loss on labels')
    return lines


def _transfer_lines(transfer: GraphTransfer) -> list[str]:
    """Return the text of a transfer, its name first."""
    lines = [
        f'{transfer.name} × {transfer.weight}',
        transfer.kind + f', weighting {transfer.weighting}' * bool(transfer.weighting),
    ]
    lines += [f'from {address}  {shape}' for address, shape in transfer.sources]
    lines.append(f'to {transfer.target[0]}  {transfer.target[1]}')
    return lines + [f'by {chain}' for chain in dict.fromkeys(transfer.connectors) if chain]


def _wrap(lines: Sequence[str], column: int) -> list[str]:
    """Break lines that are longer than a box of a column is wide."""
    wrapped = [textwrap.wrap(line, int(WIDTHS[column] * LETTERS), subsequent_indent='    ') for line in lines]
    return [part for parts in wrapped for part in parts]


def _height(lines: Sequence[str]) -> float:
    return LINE * len(lines) + 0.16


def _place(column: dict[str, list[str]], left: float, width: float, height: float) -> dict[str, _Box]:
    """Spread the boxes of a column over the height."""
    taken = sum(map(_height, column.values()))
    space = (height - 0.9 - taken) / (len(column) + 1)
    boxes, top = {}, 0.55 + space
    for name, lines in column.items():
        boxes[name] = _Box(left, top + _height(lines) / 2, width, _height(lines))
        top += _height(lines) + space
    return boxes


def _draw_box(ax: Any, box: _Box, lines: Sequence[str], rounded: bool) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = 'round,pad=0,rounding_size=0.12' if rounded else 'square,pad=0'
    top = box.middle - box.height / 2
    face = '#f2f2f2' if rounded else 'white'
    ax.add_patch(FancyBboxPatch((box.left, top), box.width, box.height, style, fc=face, ec='black', lw=0.9))
    for index, line in enumerate(lines):
        size = 8.5 if index == 0 else 7.5
        ax.text(
            box.left + 0.08,
            top + 0.08 + LINE * (index + 0.5),
            line.replace('$', r'\$'),
            fontsize=size,
            weight='bold' if index == 0 else None,
            va='center',
        )


def _draw_arrows(ax: Any, graph: Graph, teachers: dict, transfers: dict, learners: dict) -> None:
    for transfer in graph.transfers:
        box = transfers[transfer.name]
        for address, _ in transfer.sources:
            name = address.partition('.')[0]
            if name in teachers:
                _draw_arrow(ax, (teachers[name].right, teachers[name].middle), (box.left, box.middle), 0.9)
            else:  # learners that teach each other
                _draw_arrow(ax, (learners[name].left, learners[name].middle), (box.right, box.middle - 0.1), 0.9)
        target = learners[transfer.target[0].partition('.')[0]]
        _draw_arrow(ax, (box.right, box.middle + 0.05), (target.left, target.middle), 1.8)


def _draw_arrow(ax: Any, start: tuple[float, float], end: tuple[float, float], width: float) -> None:
    ax.annotate('', end, start, arrowprops=dict(arrowstyle='-|>', lw=width, color='black', shrinkA=0, shrinkB=0))
