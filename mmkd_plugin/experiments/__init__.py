"""Many runs: which to make, what came out, and the tables made from that. Nothing here imports torch."""

from .sweep import Run, plan_runs, read_records, run_sweep
from .tables import markdown_table

__all__ = ['Run', 'markdown_table', 'plan_runs', 'read_records', 'run_sweep']
