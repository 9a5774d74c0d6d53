"""``mmkd sweep``: all runs of a matrix, side by side."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import add_pairs, command_line, parse_options, repeat
from .errors import fail

if TYPE_CHECKING:
    from mmkd_plugin.experiments import Plan, Sweep
    from mmkd_plugin.experiments.launch import LocalEngine
    from mmkd_plugin.experiments.watch import Display

__all__ = ['add_arguments', 'go_on', 'run']

SEEDS = [0, 1, 2]
RETRIES = 2
REPEATED = (
    'data',
    'folds',
    'seeds',
    'quick',
    'cfg_options',
    'only',
    'folder',
    'retries',
    'workers',
    'threads',
    'gpus',
    'runs_per_gpu',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('configs', nargs='+', help='a sweep, as watch_all_methods or SWEEP.py; or configs of methods')
    parser.add_argument('--data', nargs='+', metavar='NAME', help="data in the place of the configs' own, by name or path")
    parser.add_argument('--folds', nargs='+', type=_fold, metavar='FOLD', help="folds of the data's protocol, or all")
    parser.add_argument('--seeds', nargs='+', type=int, help='seeds of the runs; teachers keep theirs (0 1 2)')
    parser.add_argument(
        '--quick', action='store_true', help='a first look: two epochs, for teachers too, in folders of their own'
    )
    add_pairs(parser, '--cfg-options', "override all configs; keys that begin with teachers. override the teachers' configs")
    add_pairs(parser, '--only', 'make only the runs with this value of an axis, as method=crd or fold=0')
    parser.add_argument('--dry-run', action='store_true', help='say what would be made, and about how long that takes')
    parser.add_argument('--folder', help='where runs, runs.jsonl and table.md are written; work_dirs/sweeps/<sweep>')
    parser.add_argument('--retries', type=int, help='how often a run that has died is tried again (2)')
    parser.add_argument('--workers', type=int, help='runs at once on the CPU; as many as there are cores')
    parser.add_argument('--threads', type=int, help='threads of a run; one for small networks')
    parser.add_argument('--gpus', metavar='0,1', help="GPUs that runs are dealt to; all by default, 'none' for the CPU")
    parser.add_argument('--runs-per-gpu', type=int, help='runs at once on a GPU (1); small students leave one idle')


def _fold(text: str) -> int | str:
    return text if text == 'all' else int(text)


def run(args: argparse.Namespace) -> int | None:
    """Make the runs that have no record, and print the table of all."""
    from mmkd_plugin.apis import plan_sweep
    from mmkd_plugin.experiments import run_sweep

    from .console import reporting

    retries = RETRIES if args.retries is None else args.retries
    if retries < 0:
        raise ValueError(f'--retries must be at least 0, got {retries}')
    sweep, name = _sweep_of(args)
    folder = Path(args.folder or Path('work_dirs', 'sweeps', f'{name}-quick' if args.quick else name))
    engine = _engine_of(args, folder)
    with reporting():
        plan = plan_sweep(sweep, folder, _only(args))
        lines = _describe(plan, folder, engine)
    print('\n'.join(lines), flush=True)
    if args.dry_run:
        return None
    failures = run_sweep(plan, folder, engine, _display(), retries)
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
    base, axes = dict(content.get('base') or {}), dict(content.get('axes') or {})
    given = {'data': args.data, 'fold': 'all' if args.folds == ['all'] else args.folds, 'seed': args.seeds}
    if args.folds and 'all' in args.folds and len(args.folds) > 1:
        raise ValueError("--folds is a list of numbers, or 'all' alone")
    changed = {key: value for key, value in given.items() if value is not None}
    if args.seeds:
        content.pop('repeats', None)
    axes.update(changed)
    base.update(parse_options(args.cfg_options), **({'quick': True} if args.quick else {}))
    return parse_sweep({**content, 'base': base, 'axes': axes}, source, OPTIONS), name


def _read(configs: list[str]) -> tuple[dict[str, Any], str, str]:
    """Return content, source and name of a sweep."""
    from mmkd_plugin.fileio import read_config, resolve_config

    paths = []
    for name in configs:
        try:
            paths.append(resolve_config(name))
        except FileNotFoundError:
            try:
                paths.append(resolve_config(f'sweeps/{name}'))
            except FileNotFoundError:
                resolve_config(name)  # says what is near
    contents = [read_config(path) for path in paths]
    sweeps = [path for path, content in zip(paths, contents) if 'axes' in content and 'model' not in content]
    if sweeps and len(paths) > 1:
        raise ValueError(f'{sweeps[0]} is a sweep, which stands alone; got {", ".join(configs)}')
    if sweeps:
        return dict(contents[0].to_dict()), str(paths[0]), paths[0].stem
    return {'axes': {'method': list(configs), 'seed': SEEDS}}, 'the command line', '-'.join(p.stem for p in paths)[:60]


def _only(args: argparse.Namespace) -> dict[str, list]:
    only: dict[str, list] = {}
    for pair in args.only:
        ((name, value),) = parse_options([pair]).items()
        only.setdefault(name, []).append(value)
    return only


def _engine_of(args: argparse.Namespace, folder: Path) -> LocalEngine:
    from mmkd_plugin.experiments.launch import LocalEngine, plan_places, usable_cores

    gpus = _gpus(args.gpus)
    places = plan_places(
        usable_cores(), args.threads or 1, args.workers, gpus, 1 if args.runs_per_gpu is None else args.runs_per_gpu
    )
    return LocalEngine(places, folder / 'workers.txt')


def _gpus(text: str | None) -> list[str]:
    """Return the GPUs to use, as in ``CUDA_VISIBLE_DEVICES``."""
    import torch

    number = torch.cuda.device_count()
    visible = os.environ.get('CUDA_VISIBLE_DEVICES', '').split(',') if os.environ.get('CUDA_VISIBLE_DEVICES') else []
    names = visible or [str(index) for index in range(number)]
    if text is None:
        return names[:number]
    if text == 'none':
        return []
    wanted = text.split(',')
    unknown = [word for word in wanted if not word.isdecimal() or int(word) >= number]
    if unknown:
        raise ValueError(f'--gpus {text}: this machine has {number} GPU(s); expected numbers below that, as 0,1, or none')
    return [names[int(word)] for word in wanted]


def _describe(plan: Plan, folder: Path, engine: LocalEngine) -> list[str]:
    """Say what a plan has, what of it is done, and about how long the rest takes."""
    from mmkd_plugin.apis import estimate_seconds
    from mmkd_plugin.experiments import finished_keys, trained
    from mmkd_plugin.experiments.watch import clock

    done = finished_keys(folder)
    left = [run for run in plan.runs if run.key not in done]
    needed = {path for run in left for path in run.teachers}
    missing = [teacher for teacher in plan.teachers if teacher.key in needed and not trained(teacher)]
    lines = [
        f'{_number(len(plan.runs), "run")}, {len(plan.runs) - len(left)} done; '
        f'{_number(len(plan.teachers), "teacher")}, {len(missing)} to be trained'
    ]
    if left:
        seconds = estimate_seconds(left, missing, engine.places[0].threads) / min(engine.slots, len(left) + len(missing))
        lines.append(f'about {clock(seconds)} with {engine.description}')
    return [*lines, *plan.notes]


def _number(count: int, name: str) -> str:
    return f'{count} {name}{"" if count == 1 else "s"}'


def _display() -> Display:
    from rich.console import Console

    from mmkd_plugin.experiments.watch import Display, LiveDisplay

    console = Console(file=sys.stdout, highlight=False)
    return LiveDisplay(console) if console.is_terminal and not console.is_dumb_terminal else Display()


def _table(plan: Plan, folder: Path) -> str:
    """Write and return the table of the plan's runs."""
    from mmkd_plugin.experiments import cells_of, figure_table, read_records
    from mmkd_plugin.experiments.report import to_markdown
    from mmkd_plugin.fileio import write_atomically

    keys = {run.key for run in plan.runs}
    cells = cells_of(record for record in read_records(folder / 'runs.jsonl') if record['key'] in keys)
    tables = [figure_table(cells, which=which) for which in ('best', 'last')]
    text = '\n\n'.join(f'{table.title}\n\n{to_markdown(table)}' for table in tables)
    write_atomically(f'{text}\n'.encode(), folder / 'table.md')
    return text
