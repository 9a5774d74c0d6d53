"""Plans, records and tables of many runs. Nothing here imports torch."""

from .sweep import Run, plan_runs, read_records, run_sweep
from .tables import markdown_table

__all__ = ['Run', 'markdown_table', 'plan_runs', 'read_records', 'run_sweep']
