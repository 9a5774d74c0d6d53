"""Tables that nothing describes but the names in their first line: separator, column of the time and its unit are found."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .clock import SECONDS, TOLERANCE, measure_rate, read_seconds
from .columns import PARQUET, column_names, read_columns
from .layout import LAYOUT, Layout
from .text import damaged

__all__ = ['describe_table']

# A name for time, with or without its unit behind: t, time_ms, Timestamp [s], date time.
TIME = re.compile(r'(t|time|time[ _-]?stamp|date[ _-]?time|seconds|elapsed)([ _]*[\[(]?(s|sec|seconds|ms|ns|utc)[\])]?)?', re.I)
APART = math.sqrt(1000)  # times that a rate may be off before the next unit is nearer


def describe_table(path: Path, channels: Sequence[str], expected: float, rate: float | None = None) -> tuple[Layout, list[str]]:
    """Return how a table is to be read, and the names of its columns.

    Args:
        path (Path): CSV or Parquet; a column of time is known by its name.
        channels (Sequence[str]): Columns that are wanted.
        expected (float): Rate in Hz that time stamps are compared with; they may differ by a tenth.
        rate (float, optional): In Hz, where it is known; time stamps must then agree.

    Returns:
        tuple[Layout, list[str]]: Whose rate is the known one, else the expected one where time stamps agree or are absent,
        else that of the time stamps.

    Raises:
        FileNotFoundError: The file does not exist.
        ImportError: Parquet is to be read and pyarrow is not installed.
        ValueError: The file is damaged, two columns are named as time is, or no unit makes a rate of the time stamps.
    """
    separators = [','] if path.suffix.lower() in PARQUET else [',', ';', '\t']
    each = {separator: column_names(path, separator) for separator in separators}
    separator = max(separators, key=lambda one: len(set(channels) & set(each[one])))
    names = each[separator]
    layout = Layout(tuple(channels), rate or expected, None, None, separator=separator)
    times = [name for name in names if name not in channels and TIME.fullmatch(name.strip())]
    if len(times) > 1:
        raise damaged(path, 1, f'{" and ".join(times)} are both named as time is; {LAYOUT} beside the file may name the column')
    if not times or not set(channels) <= set(names):
        return layout, names
    layout = replace(layout, time=times[0])
    unit, measured = _measure(path, layout, rate or expected)
    layout = replace(layout, unit=unit)
    if rate is None and measured is not None and abs(measured / expected - 1) > TOLERANCE:
        layout = replace(layout, rate=measured)
    return layout, names


def _measure(path: Path, layout: Layout, near: float) -> tuple[str, float | None]:
    """Return unit and rate of time stamps: of several units, the one by which the rate is nearest to another."""
    time = str(layout.time)
    texts = read_columns(path, (), (time,), layout.separator)
    try:
        float(next(filter(None, texts.texts[time]), ''))
    except ValueError:
        return 'iso', measure_rate(read_seconds(path, texts, replace(layout, unit='iso')))
    columns = read_columns(path, (time,), (), layout.separator)
    rates = {unit: measure_rate(read_seconds(path, columns, replace(layout, unit=unit))) for unit in SECONDS}
    known = {unit: rate for unit, rate in rates.items() if rate}
    if not known:
        return 's', None
    unit = min(known, key=lambda unit: abs(math.log(known[unit] / near)))
    if not 1 / APART < known[unit] / near < APART:
        raise damaged(
            path,
            1,
            f'{time} steps by {1 / known["s"]:.4g}, which neither in {", ".join(SECONDS)} is a rate near {near:g} Hz; {LAYOUT} '
            'beside the file may leave the column out',
        )
    return unit, known[unit]
