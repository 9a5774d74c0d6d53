"""Tables as CSV: numbers in full, empty where there is none."""

from __future__ import annotations

import csv
import io

from ..tables import Table

__all__ = ['to_csv']


def to_csv(table: Table) -> str:
    """Return a table as CSV, the names of the columns first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\n')
    writer.writerow([column.name for column in table.columns])
    writer.writerows(['' if value is None else value for value in row] for row in table.rows)
    return buffer.getvalue()
