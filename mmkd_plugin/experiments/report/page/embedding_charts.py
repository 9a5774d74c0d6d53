"""Embeddings of test windows on a plane, classes as shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...embeddings import Embedding, place
from .svg import MARKERS, Drawing, Scale, drawing, marker, tag

__all__ = ['EmbeddingChart', 'embedding_charts']

SIZE, EDGE = 300.0, 8.0


@dataclass(frozen=True)
class EmbeddingChart:
    """The drawing of a network, and the marks of its classes."""

    data: str
    name: str
    windows: int
    drawing: Drawing
    key: tuple[tuple[str, Drawing], ...]


def embedding_charts(embeddings: Sequence[Embedding]) -> list[EmbeddingChart]:
    """Return a chart for every network, teachers once for each data set."""
    charts = []
    for each in {(e.data, e.name): e for e in reversed(embeddings)}.values():
        places = place(each.values)
        if places is None:
            continue
        x, y = (
            Scale.around(column, *ends) for column, ends in zip(places.T.tolist(), ((EDGE, SIZE - EDGE), (SIZE - EDGE, EDGE)))
        )
        parts = [tag('rect', x=0.5, y=0.5, width=SIZE - 1, height=SIZE - 1, class_='frame')]
        for (left, up), label in zip(places.tolist(), each.labels.tolist()):
            kind, look = _mark(label)
            name = each.classes[label] if 0 <= label < len(each.classes) else 'no known class'
            parts.append(marker(kind, x(left), y(up), name, class_=look))
        title = f't-SNE of {len(places)} test windows of {each.data} as {each.name} embeds them'
        key = tuple(
            (name, marker(kind, 0, 0, class_=look)) for label, name in enumerate(each.classes) for kind, look in [_mark(label)]
        )
        charts.append(EmbeddingChart(each.data, each.name, len(places), drawing(SIZE, SIZE, parts, title), key))
    return sorted(charts, key=lambda chart: (chart.data, chart.name.startswith('teacher '), chart.name))


def _mark(label: int) -> tuple[str, str]:
    """Return shape and look of a class: eight shapes, filled and then hollow."""
    shapes = list(MARKERS)
    if label < 0:
        return 'cross', 'point hollow k7'
    hollow = ' hollow' if label // len(shapes) % 2 else ''
    return shapes[label % len(shapes)], f'point{hollow} k{label % 8}'
