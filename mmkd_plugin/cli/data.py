"""``mmkd data``: what a folder or a config holds, and its conversion ahead of training."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from .arguments import (
    CONFIG_OPTIONS,
    add_config_arguments,
    add_option_arguments,
    add_pairs,
    command_line,
    config_of,
    parse_options,
    repeat,
)
from .errors import fail

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    actions = parser.add_subparsers(dest='action', required=True)
    inspect = actions.add_parser('inspect', help='say what is there, and draw it', allow_abbrev=False)
    check = actions.add_parser(
        'check', help='compare a download with what its reader knows of the published files', allow_abbrev=False
    )
    convert = actions.add_parser('convert', help="read a config's data into the store that its runs open", allow_abbrev=False)
    for action in (inspect, check):
        action.add_argument('config', metavar='source', help='folder or file of the data, or a config')
        action.add_argument('--reader', help='name of the reader of a folder or file; by default all are asked')
        add_pairs(action, '--reader-options', 'arguments of the reader beside its root')
        add_option_arguments(action)
    inspect.add_argument('--window', type=int, help="samples of a window; by default the config's, the published ones or 100")
    inspect.add_argument('--step', type=int, help='samples from the start of a window to that of the next')
    inspect.add_argument('--out', metavar='FILE', help='the plot, .png or .svg; work_dirs/inspect/<name>-<hash>.png by default')
    inspect.add_argument('--verbose', action='store_true', help='all subjects, classes and notes')
    add_config_arguments(convert)
    convert.add_argument('--engine', help="processes or ray; by default the config's")
    convert.add_argument('--workers', type=int, help='parts that are read at once')


def run(args: argparse.Namespace) -> int | None:
    """Inspect, check or convert."""
    from .console import reporting

    with reporting():
        return dict(inspect=_inspect, check=_check, convert=_convert)[args.action](args)


def _inspect(args: argparse.Namespace) -> None:
    from mmkd_plugin.apis.data import inspect_config, inspect_files
    from mmkd_plugin.datasets.inspection import find_reader
    from mmkd_plugin.datasets.inspection.summary import format_inspection
    from mmkd_plugin.visualization import check_picture, draw_inspection

    if args.out:  # before minutes of reading
        check_picture(args.out)
    if _names_config(args.config):
        inspection = inspect_config(config_of(args), args.window, args.step)
    else:
        reader = find_reader(args.config, args.reader, parse_options(args.reader_options))
        print(f'reading {args.config} as {type(reader).__name__}', flush=True)
        inspection = inspect_files(reader, args.window, args.step)
    print(format_inspection(inspection, args.verbose))
    out = args.out or Path('work_dirs', 'inspect', _plot_name(args))
    try:
        print(f'plot: {draw_inspection(inspection, out)}')
    except ImportError as error:
        print(f'no plot: {error}')


def _plot_name(args: argparse.Namespace) -> str:
    """Return a file name with a hash of all that decides what is drawn: many folders are called 'data'."""
    source = Path(args.config).resolve()
    decides = {key: value for key, value in vars(args).items() if key not in ('config', 'out', 'verbose')}
    digest = hashlib.sha256(repr((str(source), sorted(decides.items(), key=str))).encode()).hexdigest()[:6]
    return f'{source.stem}-{digest}.png'


def _check(args: argparse.Namespace) -> int | None:
    from mmkd_plugin.apis.data import reader_of
    from mmkd_plugin.datasets.inspection import find_reader
    from mmkd_plugin.datasets.inspection.published import HEAD, check_parts, conclude, format_check

    if _names_config(args.config):
        reader = reader_of(config_of(args))
    else:
        reader = find_reader(args.config, args.reader, parse_options(args.reader_options))
    print(f'{type(reader).__name__}, in {reader.root}\n{HEAD}')
    checks = []
    for check in check_parts(reader):
        print(format_check(check), flush=True)
        checks.append(check)
    conclusion, wrong = conclude(checks)
    print(conclusion)
    return fail(f'error: {len(wrong)} part(s) are not as published: {", ".join(wrong)}') if wrong else None


def _convert(args: argparse.Namespace) -> None:
    from mmkd_plugin.apis.data import convert_data

    for done in convert_data(config_of(args), args.engine, args.workers):
        print(f'store: {done.store}')
        print(f'{done.recordings:,} recordings, {done.samples:,} samples, {done.size / 2**20:,.1f} MiB, {done.seconds:.1f} s')
    print(f'next: {command_line("train", args.config, *repeat(args, *CONFIG_OPTIONS))}')


def _names_config(source: str) -> bool:
    """Return whether a config is meant: a Python file, or the name of a shipped config where no data are by that name."""
    from mmkd_plugin.fileio import resolve_config

    if source.endswith('.py'):
        return True
    try:
        return not Path(source).exists() and bool(resolve_config(source))
    except FileNotFoundError:
        return False
