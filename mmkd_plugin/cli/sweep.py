"""``mmkd sweep``: configs times seeds."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import CONFIG_OPTIONS, add_option_arguments, command_line, repeat
from .errors import fail

__all__ = ['add_arguments', 'go_on', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('configs', nargs='+', help='config files, or names of shipped configs')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2], help='seeds of the student; teachers keep theirs')
    parser.add_argument('--folder', default='work_dirs/sweep', help='where runs, runs.jsonl and table.md are written')
    add_option_arguments(parser)


def run(args: argparse.Namespace) -> int | None:
    """Make the runs that are not finished, and print the table of all."""
    from mmkd_plugin.experiments import cells_of, figure_table, plan_runs, read_records, run_sweep
    from mmkd_plugin.experiments.report import to_markdown

    runs = plan_runs(args.configs, args.seeds, repeat(args, *CONFIG_OPTIONS), args.data)
    failed = run_sweep(runs, args.folder, say=lambda line: print(line, flush=True))
    keys = {(run.key, run.seed) for run in runs}
    cells = cells_of(r for r in read_records(Path(args.folder, 'runs.jsonl')) if (r['key'], r['seed']) in keys)
    tables = [figure_table(cells, which=which) for which in ('best', 'last')]
    table = '\n\n'.join(f'{table.title}\n\n{to_markdown(table)}' for table in tables)
    Path(args.folder, 'table.md').write_text(table + '\n')
    print(table)
    print(f'runs: {args.folder}/runs.jsonl  table: {args.folder}/table.md')
    print(f'next: {command_line("report", args.folder)}')
    return fail(f'error: {len(failed)} of {len(runs)} runs failed') if failed else None


def go_on(args: argparse.Namespace) -> str:
    """Return the command that makes the runs that are left."""
    return command_line('sweep', *args.configs, *repeat(args, 'seeds', 'folder', *CONFIG_OPTIONS))
