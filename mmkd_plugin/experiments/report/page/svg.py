"""Parts of drawings as inline SVG: every text and every attribute is escaped here, and nowhere else."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ['MARKERS', 'Drawing', 'Panel', 'Scale', 'drawing', 'join', 'marker', 'path', 'spread_labels', 'tag', 'text']

# Outlines around (0, 0); classes and networks are told apart by them, hues come on top.
MARKERS = {
    'circle': 'M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z',
    'square': 'M-3-3h6v6h-6z',
    'up': 'M0-4.2L4 3h-8z',
    'diamond': 'M0-4.6L4 0L0 4.6L-4 0z',
    'down': 'M0 4.2L4-3h-8z',
    'plus': 'M-1.3-4h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7z',
    'cross': 'M-4-2.2L-2.2-4L0-1.8L2.2-4L4-2.2L1.8 0L4 2.2L2.2 4L0 1.8L-2.2 4L-4 2.2L-1.8 0z',
    'bar': 'M-1.4-4.5h2.8v9h-2.8z',
}


class Drawing(str):
    """Markup in which every text is escaped already; a template takes it as it is."""

    def __html__(self) -> str:
        return str(self)


def join(parts: Iterable[str]) -> Drawing:
    """Return several pieces of markup as one."""
    return Drawing(''.join(parts))


def tag(name: str, content: str = '', title: str = '', **attributes: Any) -> Drawing:
    """Return an element.

    Args:
        name (str): Of the element.
        content (str): A :class:`Drawing` stays; other text is escaped.
        title (str): Shown where the pointer rests.
        **attributes (Any): ``_`` stands for ``-``, and at the end of a name for nothing; numbers get one digit.
    """
    written = ''.join(f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    inside = content if isinstance(content, Drawing) else html.escape(content)
    if title:
        inside = f'<title>{html.escape(title)}</title>{inside}'
    return Drawing(f'<{name}{written}>{inside}</{name}>' if inside else f'<{name}{written}/>')


def _value(value: object) -> str:
    return _short(value) if isinstance(value, float) else html.escape(str(value))


def _short(value: float) -> str:
    text = f'{value:.1f}'
    return '0' if text == '-0.0' else text.removesuffix('.0')


def text(x: float, y: float, content: str, anchor: str = 'start', most: int = 99, **attributes: Any) -> Drawing:
    """Return a line of text at a point; text of more than ``most`` letters is cut, and shown whole where the pointer rests."""
    if len(content) > most:
        content, attributes['title'] = f'{content[: most - 1]}…', content
    if anchor != 'start':
        attributes['text_anchor'] = anchor
    return tag('text', content, x=float(x), y=float(y), **attributes)


def marker(kind: str, x: float, y: float, title: str = '', **attributes: Any) -> Drawing:
    """Return one of :data:`MARKERS`, which the page defines once."""
    return tag('use', title=title, href=f'#{kind}', x=float(x), y=float(y), **attributes)


def path(points: Iterable[tuple[float, float | None]], close: bool = False, **attributes: Any) -> Drawing:
    """Return a line through points; a point without a y breaks the line."""
    steps, pen = [], 'M'
    for x, y in points:
        if y is None:
            pen = 'M'
            continue
        steps.append(f'{pen}{_short(x)} {_short(y)}')
        pen = 'L'
    return tag('path', d=''.join(steps) + ('z' if close else ''), **attributes) if steps else Drawing()


def drawing(width: float, height: float, parts: Iterable[str], label: str) -> Drawing:
    """Return a whole SVG, which scales with its place.

    Args:
        width (float): In units of the drawing; text is 11 of them high.
        height (float): The same.
        parts (Iterable[str]): Elements.
        label (str): Says what can be seen, for those who do not see it.
    """
    box = f'0 0 {_short(width)} {_short(height)}'
    return tag('svg', join(parts), viewBox=box, role='img', aria_label=label)


@dataclass(frozen=True)
class Scale:
    """A scale from values to a length, linear or logarithmic."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def around(cls, values: Iterable[float], start: float, end: float, log: bool = False, margin: float = 0.06) -> Scale:
        """Return a scale with room around all values."""
        values = list(values) or [0.0, 1.0]
        low, high = min(values), max(values)
        if log:
            factor = 1.3 if low == high else (high / low) ** margin
            return cls(low / factor, high * factor, start, end, True)
        room = (high - low) * margin if high > low else max(1.0, abs(high) * margin)
        return cls(low - room, high + room, start, end)

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        low, high, value = map(math.log10, (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[float]:
        """Return about so many round values: 1, 2 or 5 times a power of ten."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            fine = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
            within = [value for value in fine if self.low <= value <= self.high]
            return within if len(within) <= count + 1 else [v for v in within if f'{v:e}'[0] == '1']
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / count))
        step = next(step * factor for factor in (1, 2, 5, 10) if step * factor * count >= self.high - self.low)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(number * step, 10) for number in range(first, last + 1)]


def tick_label(value: float) -> str:
    """Return a tick as people read it: ``−0.5``, ``20``, ``2k``, ``1.5M``."""
    for limit, unit in ((1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if abs(value) >= limit:
            return f'{value / limit:g}{unit}'.replace('-', '−')
    return f'{value:g}'.replace('-', '−')


@dataclass(frozen=True)
class Panel:
    """Axes of a drawing: a grid with numbers, to which marks are added."""

    x: Scale
    y: Scale
    x_title: str = ''
    y_title: str = ''
    x_ticks: int = 5
    y_ticks: int = 4
    whole: bool = False  # whether x has whole numbers only, as epochs

    def axes(self) -> Drawing:
        """Return grid, numbers and titles."""
        x, y = self.x, self.y
        parts = []
        for value in y.ticks(self.y_ticks):
            parts.append(path([(x.start, y(value)), (x.end, y(value))], class_='grid'))
            parts.append(text(x.start - 5, y(value) + 3.5, tick_label(value), 'end', class_='tick'))
        for value in (tick for tick in x.ticks(self.x_ticks) if not self.whole or tick == int(tick)):
            parts.append(path([(x(value), y.start), (x(value), y.start + 4)], class_='rule'))
            parts.append(text(x(value), y.start + 15, tick_label(value), 'middle', class_='tick'))
        parts.append(path([(x.start, y.start), (x.end, y.start)], class_='rule'))
        if self.x_title:
            parts.append(text((x.start + x.end) / 2, y.start + 30, self.x_title, 'middle', class_='axis'))
        if self.y_title:
            parts.append(text(x.start - 30, y.end - 9, self.y_title, class_='axis'))
        return join(parts)


def spread_labels(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places of labels, as near to the wanted ones as their gap allows, and in the same order.

    Args:
        wanted (Sequence[float]): Where the labels would stand best.
        gap (float): Between two labels at least, unless there is no room for all.
        low (float): No label stands below this place.
        high (float): No label stands above this place.
    """
    from sklearn.isotonic import IsotonicRegression  # heavy: not at import

    count = len(wanted)
    gap = min(gap, (high - low) / max(1, count - 1))
    order = np.argsort(wanted, kind='stable')
    offsets = gap * np.arange(count)
    # Places that rise by a gap each are, less their offsets, places that do not fall.
    fit = IsotonicRegression(y_min=low, y_max=max(low, high - gap * (count - 1)))
    places = np.empty(count)
    places[order] = fit.fit_transform(np.arange(count), np.asarray(wanted, dtype=float)[order] - offsets) + offsets
    return places.tolist()
