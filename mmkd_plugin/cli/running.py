"""What the commands that make many runs have in common: arguments, engine and display."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import add_pairs, parse_options

if TYPE_CHECKING:
    from mmkd_plugin.experiments.launch import LocalEngine
    from mmkd_plugin.experiments.watch import Display

__all__ = [
    'REPEATED',
    'add_run_arguments',
    'changed_content',
    'display_of',
    'engine_of',
    'number_of',
    'only_of',
    'retries_of',
]

RETRIES = 2
REPEATED = (  # options that the command which goes on has too
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


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says which runs are made, and how."""
    parser.add_argument('--data', nargs='+', metavar='NAME', help="data in the place of the configs' own, by name or path")
    parser.add_argument('--folds', nargs='+', type=_fold, metavar='FOLD', help="folds of the data's protocol, or all")
    parser.add_argument('--seeds', nargs='+', type=int, help='seeds of the runs; teachers keep theirs (0 1 2)')
    parser.add_argument(
        '--quick', action='store_true', help='a first look: two epochs, for teachers too, in folders of their own'
    )
    add_pairs(parser, '--cfg-options', "override all configs; keys that begin with teachers. override the teachers' configs")
    add_pairs(parser, '--only', 'make only the runs with this value of an axis, as method=crd or fold=0')
    parser.add_argument('--dry-run', action='store_true', help='say what would be made, and about how long that takes')
    parser.add_argument(
        '--folder',
        help='where runs, runs.jsonl and tables are written; work_dirs/sweeps/<sweep> or work_dirs/searches/<search>',
    )
    parser.add_argument('--retries', type=int, help='how often a run that has died is tried again (2)')
    parser.add_argument('--workers', type=int, help='runs at once on the CPU; as many as there are cores')
    parser.add_argument('--threads', type=int, help='threads of a run; one for small networks')
    parser.add_argument('--gpus', metavar='0,1', help="GPUs that runs are dealt to; all by default, 'none' for the CPU")
    parser.add_argument('--runs-per-gpu', type=int, help='runs at once on a GPU (1); small students leave one idle')


def _fold(text: str) -> int | str:
    return text if text == 'all' else int(text)


def retries_of(args: argparse.Namespace) -> int:
    """Return how often a run that has died is tried again.

    Raises:
        ValueError: The number is negative.
    """
    retries = RETRIES if args.retries is None else args.retries
    if retries < 0:
        raise ValueError(f'--retries must be at least 0, got {retries}')
    return retries


def changed_content(content: Mapping[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """Return the content of a file with what the command line changes.

    Raises:
        ValueError: ``--folds`` is all and more.
    """
    base, axes = dict(content.get('base') or {}), dict(content.get('axes') or {})
    given = {'data': args.data, 'fold': 'all' if args.folds == ['all'] else args.folds, 'seed': args.seeds}
    if args.folds and 'all' in args.folds and len(args.folds) > 1:
        raise ValueError("--folds is a list of numbers, or 'all' alone")
    axes.update({key: value for key, value in given.items() if value is not None})
    base.update(parse_options(args.cfg_options), **({'quick': True} if args.quick else {}))
    changed = {**content, 'base': base, 'axes': axes}
    if args.seeds:
        changed.pop('repeats', None)
    return changed


def only_of(args: argparse.Namespace) -> dict[str, list]:
    """Return values by axis, as ``--only`` names them."""
    only: dict[str, list] = {}
    for pair in args.only:
        ((name, value),) = parse_options([pair]).items()
        only.setdefault(name, []).append(value)
    return only


def engine_of(args: argparse.Namespace, folder: Path) -> LocalEngine:
    """Return the engine on this machine, its workers dealt out as the options say."""
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


def number_of(count: int, name: str) -> str:
    """Return a number of things: '1 run', '2 runs'."""
    return f'{count} {name}{"" if count == 1 else "s"}'


def display_of() -> Display:
    """Return a live display on a terminal, lines elsewhere."""
    from rich.console import Console

    from mmkd_plugin.experiments.watch import Display, LiveDisplay

    console = Console(file=sys.stdout, highlight=False)
    return LiveDisplay(console) if console.is_terminal and not console.is_dumb_terminal else Display()
