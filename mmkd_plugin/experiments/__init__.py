"""Plans, records, tables and reports of many runs. Nothing here imports torch."""

from .cells import Cell, cells_of
from .records import FIELDS, VERSION, append_record, failed_record, finished, read_records
from .run_record import record_of
from .sweep import Run, plan_runs, run_sweep
from .tables import Column, Table, figure_table

__all__ = [
    'FIELDS',
    'VERSION',
    'Cell',
    'Column',
    'Run',
    'Table',
    'append_record',
    'cells_of',
    'failed_record',
    'figure_table',
    'finished',
    'plan_runs',
    'read_records',
    'record_of',
    'run_sweep',
]
