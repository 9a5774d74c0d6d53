"""Tables as CSV: numbers in full, empty where there is none."""

from __future__ import annotations

from mmkd_plugin.text import csv_text

from ..tables import Table

__all__ = ['to_csv']


def to_csv(table: Table) -> str:
    """Return a table as CSV, the names of the columns first."""
    return csv_text([[column.name for column in table.columns], *table.rows])
