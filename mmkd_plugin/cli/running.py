"""What the commands that make many runs have in common: arguments and display."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import add_pairs, parse_options
from .engines import ENGINE_OPTIONS, add_engine_arguments

if TYPE_CHECKING:
    from mmkd_plugin.experiments.watch import Display

__all__ = [
    'REPEATED',
    'add_run_arguments',
    'changed_content',
    'display_of',
    'find_config',
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
    *ENGINE_OPTIONS,
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
    add_pairs(parser, '--only', 'make only the runs with these values of an axis, as method=kd,crd or fold=0')
    parser.add_argument('--dry-run', action='store_true', help='say what would be made, and about how long that takes')
    parser.add_argument(
        '--folder',
        help='where runs, runs.jsonl and tables are written; work_dirs/sweeps/<sweep> or work_dirs/searches/<search>',
    )
    parser.add_argument('--retries', type=int, help='how often a run that has died is tried again (2)')
    add_engine_arguments(parser)


def _fold(text: str) -> int | str:
    return text if text == 'all' else int(text)


def find_config(name: str, folder: str) -> Path:
    """Return the path of a config, or of a shipped one below a folder of its kind.

    Args:
        name (str): As ``'kd'``, ``'watch_all_methods'`` or a path.
        folder (str): 'sweeps' or 'searches'.

    Raises:
        FileNotFoundError: There is none; the message names the nearest config.
    """
    from mmkd_plugin.fileio import resolve_config

    for place in (name, f'{folder}/{name}'):
        with contextlib.suppress(FileNotFoundError):
            return resolve_config(place)
    return resolve_config(name)  # says what is near


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


def display_of() -> Display:
    """Return a live display on a terminal, lines elsewhere."""
    from rich.console import Console

    from mmkd_plugin.experiments.watch import Display, LiveDisplay

    console = Console(file=sys.stdout, highlight=False)
    return LiveDisplay(console) if console.is_terminal and not console.is_dumb_terminal else Display()
