"""``mmkd sweep``: all runs of a matrix, side by side."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import command_line, repeat
from .engines import engine_of
from .errors import fail
from .running import REPEATED, add_run_arguments, changed_content, display_of, find_config, only_of, retries_of

if TYPE_CHECKING:
    from mmkd_plugin.experiments import Plan, Sweep
    from mmkd_plugin.experiments.launch import Engine

__all__ = ['add_arguments', 'go_on', 'run']

SEEDS = [0, 1, 2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('configs', nargs='+', help='a sweep, as watch_all_methods or SWEEP.py; or configs of methods')
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> int | None:
    """Make the runs that have no record, and print the table of all."""
    from mmkd_plugin.apis import plan_sweep
    from mmkd_plugin.experiments import run_sweep

    from .console import reporting

    retries = retries_of(args)
    sweep, name = _sweep_of(args)
    folder = Path(args.folder or Path('work_dirs', 'sweeps', f'{name}-quick' if args.quick else name))
    with contextlib.closing(engine_of(args, folder)) as engine:
        with reporting():
            plan = plan_sweep(sweep, folder, only_of(args))
            lines = _describe(plan, folder, engine)
        print('\n'.join(lines), flush=True)
        if args.dry_run:
            return None
        failures = run_sweep(plan, folder, engine, display_of(), retries)
    print(_table(plan, folder))
    print(f'runs: {folder}/runs.jsonl  table: {folder}/table.md')
    print(f'next: {command_line("report", str(folder))}')
    lines = [f'  {failure.title}: {failure.reason}' for failure in failures]
    return fail('\n'.join([f'error: {len(failures)} failed:', *lines])) if failures else None


def go_on(args: argparse.Namespace) -> str:
    """Return the command that makes the runs that are left."""
    return command_line('sweep', *args.configs, *repeat(args, *REPEATED))


def _sweep_of(args: argparse.Namespace) -> tuple[Sweep, str]:
    """Return the sweep of a file with what the command line changes, or that of the methods that are named; and its name."""
    from mmkd_plugin.apis.checks import OPTIONS
    from mmkd_plugin.experiments import parse_sweep

    content, source, name = _read(args.configs)
    return parse_sweep(changed_content(content, args), source, OPTIONS), name


def _read(configs: list[str]) -> tuple[dict[str, Any], str, str]:
    """Return content, source and name of a sweep."""
    from mmkd_plugin.fileio import read_config

    paths = [find_config(name, 'sweeps') for name in configs]
    contents = [read_config(path) for path in paths]
    for path, content in zip(paths, contents):
        if 'space' in content and 'model' not in content:
            raise ValueError(f'{path} has a space, which is searched: {command_line("search", str(path))}')
    sweeps = [path for path, content in zip(paths, contents) if 'axes' in content and 'model' not in content]
    if sweeps and len(paths) > 1:
        raise ValueError(f'{sweeps[0]} is a sweep, which stands alone; got {", ".join(configs)}')
    if sweeps:
        return dict(contents[0].to_dict()), str(paths[0]), paths[0].stem
    return {'axes': {'method': list(configs), 'seed': SEEDS}}, 'the command line', '-'.join(p.stem for p in paths)[:60]


def _describe(plan: Plan, folder: Path, engine: Engine) -> list[str]:
    """Say what a plan has, what of it is done, and about how long the rest takes."""
    from mmkd_plugin.apis import estimate_seconds
    from mmkd_plugin.experiments import finished_keys, trained
    from mmkd_plugin.experiments.launch import number_of
    from mmkd_plugin.experiments.watch import clock

    done = finished_keys(folder)
    left = [run for run in plan.runs if run.key not in done]
    needed = {path for run in left for path in run.teachers}
    missing = [teacher for teacher in plan.teachers if teacher.key in needed and not trained(teacher)]
    lines = [
        f'{number_of(len(plan.runs), "run")}, {len(plan.runs) - len(left)} done; '
        f'{number_of(len(plan.teachers), "teacher")}, {len(missing)} to be trained'
    ]
    if left:
        seconds = estimate_seconds(left, missing, engine.threads) / min(engine.slots, len(left) + len(missing))
        lines.append(f'about {clock(seconds)} with {engine.description}')
    return [*lines, *plan.notes]


def _table(plan: Plan, folder: Path) -> str:
    """Write and return the table of the plan's runs."""
    from mmkd_plugin.experiments import cells_of, figure_table, read_records
    from mmkd_plugin.experiments.report import to_markdown
    from mmkd_plugin.experiments.validation import teachers_below_baseline
    from mmkd_plugin.fileio import write_atomically

    keys = {run.key for run in plan.runs}
    cells = cells_of(record for record in read_records(folder / 'runs.jsonl') if record['key'] in keys)
    tables = [figure_table(cells, which=which) for which in ('best', 'last')]
    blocks = [f'{table.title}\n\n{to_markdown(table)}' for table in tables]
    text = '\n\n'.join([*blocks, *(f'{sentence}.' for sentence in teachers_below_baseline(cells))])
    write_atomically(f'{text}\n'.encode(), folder / 'table.md')
    return text
