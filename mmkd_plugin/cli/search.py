"""``mmkd search``: weights, temperatures, rates and other settings, chosen on the validation subjects."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import command_line, repeat
from .engines import engine_of
from .errors import fail
from .running import REPEATED, add_run_arguments, changed_content, display_of, find_config, only_of, retries_of

if TYPE_CHECKING:
    from mmkd_plugin.experiments import Course, Search, SearchPlan, Space
    from mmkd_plugin.experiments.launch import Engine

__all__ = ['add_arguments', 'go_on', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('space', help='a search, as kd_weights or SPACE.py')
    parser.add_argument('--trials', type=int, help='trials of a method; 30, or what the file says')
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> int | None:
    """Try what the space holds, and write the winner of every method as a config."""
    from mmkd_plugin.apis import plan_search
    from mmkd_plugin.experiments import Plan, Search, run_sweep
    from mmkd_plugin.experiments.search import DIVERGED
    from mmkd_plugin.experiments.study import import_optuna

    from .console import reporting

    import_optuna()  # said before anything else, where it is absent
    retries = retries_of(args)
    space, name = _space_of(args)
    folder = Path(args.folder or Path('work_dirs', 'searches', f'{name}-quick' if args.quick else name))
    with contextlib.closing(engine_of(args, folder)) as engine:
        with reporting():
            plan = plan_search(space, folder, only_of(args))
            lines = _describe(plan, folder, engine)
        print('\n'.join(lines), flush=True)
        if args.dry_run:
            return None
        display = display_of()
        search = Search(plan, folder, display.say)
        failures = run_sweep(Plan([], plan.teachers), folder, engine, display, retries, search)
    print(_table(search, folder))
    print(f'runs: {folder}/runs.jsonl  table: {folder}/budget.md')
    for course in search.courses:
        _write_winner(course, search, folder, args)
    faults = [f'  {failure.title}: {failure.reason}' for failure in failures if not failure.reason.startswith(DIVERGED)]
    if faults:
        return fail('\n'.join([f'error: {len(faults)} failed:', *faults]))
    without = [course.plan.title for course in search.courses if course.best is None]
    return fail(f'error: no trial has come to its end: {", ".join(without)}') if without else None


def go_on(args: argparse.Namespace) -> str:
    """Return the command that goes on with the trials that are left."""
    return command_line('search', args.space, *repeat(args, 'trials', *REPEATED))


def _space_of(args: argparse.Namespace) -> tuple[Space, str]:
    """Return the space of a file with what the command line changes, and its name."""
    from mmkd_plugin.apis.checks import OPTIONS
    from mmkd_plugin.experiments import parse_space
    from mmkd_plugin.fileio import read_config

    path = find_config(args.space, 'searches')
    content = dict(read_config(path).to_dict())
    if 'model' in content:
        raise ValueError(f'{path} is the config of a run; a search has space = {{key: values}}, see docs/experiments.md')
    if args.trials is not None:
        content['trials'] = args.trials
    return parse_space(changed_content(content, args), str(path), OPTIONS), path.stem


def _describe(plan: SearchPlan, folder: Path, engine: Engine) -> list[str]:
    """Say what is searched, what of it is done, and about how long the rest takes."""
    from mmkd_plugin.apis import estimate_seconds
    from mmkd_plugin.experiments import read_records, trained
    from mmkd_plugin.experiments.launch import number_of
    from mmkd_plugin.experiments.watch import clock

    names = {study.name for study in plan.studies}
    records = [r for r in read_records(folder / 'runs.jsonl') if r['ended']['state'] == 'finished' and r['trial']]
    done = len({record['key'] for record in records if record['trial']['study'] in names})
    lines = []
    for study in plan.studies:
        keys = ', '.join(study.domains) or 'nothing'
        each = f' of {len(study.runs)} runs' if len(study.runs) > 1 else ''
        lines.append(f'{study.title}: {number_of(study.trials, "trial")}{each}, searched: {keys}')
    total = sum(study.trials * len(study.runs) for study in plan.studies)
    missing = [teacher for teacher in plan.teachers if not trained(teacher)]
    teachers = f'{number_of(len(plan.teachers), "teacher")}, {len(missing)} to be trained'
    lines.append(f'{number_of(total, "run")}, {done} done; {teachers}')
    runs = [run for study in plan.studies for run in study.runs for _ in range(study.trials)][: max(0, total - done)]
    slots = min(engine.slots, sum(plan.space.parallel * len(study.runs) for study in plan.studies))
    if runs:
        seconds = estimate_seconds(runs, missing, engine.threads) / min(slots, len(runs) + len(missing))
        lines.append(f'about {clock(seconds)} with {engine.description}')
    if slots < engine.slots:
        lines.append(
            f'{slots} of {engine.slots} workers have work at once; a higher parallel in the file lets more trials begin'
        )
    return [*lines, *plan.notes]


def _table(search: Search, folder: Path) -> str:
    """Write and return the table of trials and winners."""
    from mmkd_plugin.experiments.budget import budget_table
    from mmkd_plugin.experiments.report import to_csv, to_markdown
    from mmkd_plugin.fileio import write_atomically

    table = budget_table(search)
    text = f'{table.title}\n\n{to_markdown(table)}'
    write_atomically(f'{text}\n'.encode(), folder / 'budget.md')
    write_atomically(to_csv(table).encode(), folder / 'budget.csv')
    return text


def _write_winner(course: Course, search: Search, folder: Path, args: argparse.Namespace) -> None:
    """Write the best trial of a method as a config, and print the command that trains it."""
    from mmkd_plugin.apis import options_beside, write_winner

    if course.best is None:
        print(f'{course.plan.title}: there is no winner')
        return
    number, value = course.best
    choice = course.plan.choice
    own = {name: setting for name, setting in choice.items() if name not in ('method', 'data', 'quick')}
    settings = {**own, **course.study.settings(number)}
    beside = options_beside(choice['method'], choice.get('data'), settings)
    path = folder / course.file_name
    words = [str(path)]
    if choice.get('data'):
        words += ['--data', str(choice['data'])]
    words += ['--quick'] if choice.get('quick') else []
    if beside:
        words += ['--cfg-options', *(f'{key}={setting}' for key, setting in beside.items())]
    command = command_line('train', *words)
    several = f', mean of {len(course.plan.runs)} runs' if len(course.plan.runs) > 1 else ''
    figures = f'{search.spell(value)} on validation{several}'
    comments = [f'Trial {number} of {course.ended} of {course.plan.title}: {figures}.', f'To train: {command}']
    write_winner(path, choice['method'], {k: v for k, v in settings.items() if k not in beside}, comments)
    print(f'winner: {path}  next: {command}')
