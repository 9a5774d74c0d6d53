"""Look at data, check a download against what is known of it, or convert a config's data ahead of training."""

import argparse
import shlex
import sys
from pathlib import Path

from mmkd_plugin.apis import add_config_arguments, load_config
from mmkd_plugin.apis.arguments import ConfigOptions
from mmkd_plugin.apis.data import convert_data, inspect_config, inspect_files, reader_of
from mmkd_plugin.datasets import ENGINES
from mmkd_plugin.datasets.inspection import find_reader
from mmkd_plugin.datasets.inspection.published import HEAD, check_parts, conclude, format_check
from mmkd_plugin.datasets.inspection.summary import format_inspection
from mmkd_plugin.visualization.data import draw_inspection


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    actions = parser.add_subparsers(dest='action', required=True)
    inspect = actions.add_parser('inspect', help='say what is there, and draw it')
    check = actions.add_parser('check', help='compare a download with what its reader knows of the published files')
    convert = actions.add_parser('convert', help="read a config's data into the store that its runs open")
    for action in (inspect, check):
        action.add_argument('source', help='folder or file of the data, or a config')
        action.add_argument('--reader', help='name of the reader of a folder or file; by default all are asked')
        action.add_argument('--reader-options', nargs='+', action=ConfigOptions, metavar='KEY=VALUE', help='beside its root')
        action.add_argument('--fold', type=int, help="fold of a config's protocol, from 0")
        action.add_argument('--cfg-options', nargs='+', action=ConfigOptions, metavar='KEY=VALUE', help='override a config')
    inspect.add_argument('--window', type=int, help="samples of a window; by default the config's, the published ones or 100")
    inspect.add_argument('--step', type=int, help='samples from the start of a window to that of the next')
    inspect.add_argument('--out', metavar='FILE.png', help='the picture; work_dirs/inspect/<name>.png by default')
    inspect.add_argument('--verbose', action='store_true', help='all subjects, classes and notes')
    add_config_arguments(convert)
    convert.add_argument('--engine', choices=list(ENGINES), help="what it runs on; by default the config's")
    convert.add_argument('--workers', type=int, help='parts that are read at once')
    return parser.parse_args()


def inspect(args: argparse.Namespace) -> None:
    if args.source.endswith('.py'):
        cfg = load_config(args.source, cfg_options=args.cfg_options, fold=args.fold)
        found = inspect_config(cfg, args.window, args.step)
    else:
        reader = find_reader(args.source, args.reader, args.reader_options)
        print(f'reading {args.source} as {type(reader).__name__}', flush=True)
        found = inspect_files(reader, args.window, args.step)
    print(format_inspection(found, args.verbose))
    out = args.out or Path('work_dirs', 'inspect', f'{Path(args.source).resolve().stem}.png')
    try:
        print(f'picture: {draw_inspection(found, out)}')
    except ImportError as error:  # what was asked for by name must come
        if args.out:
            raise
        print(f'no picture: {error}')


def check(args: argparse.Namespace) -> None:
    if args.source.endswith('.py'):
        reader = reader_of(load_config(args.source, cfg_options=args.cfg_options, fold=args.fold))
    else:
        reader = find_reader(args.source, args.reader, args.reader_options)
    print(f'{type(reader).__name__}, in {reader.root}\n{HEAD}')
    checks = []
    for found in check_parts(reader):
        print(format_check(found), flush=True)
        checks.append(found)
    said, wrong = conclude(checks)
    print(said)
    if wrong:
        sys.exit(f'error: {len(wrong)} part(s) are not as published: {", ".join(wrong)}')


def convert(args: argparse.Namespace) -> None:
    cfg = load_config(args.config, cfg_options=args.cfg_options, fold=args.fold)
    for done in convert_data(cfg, args.engine, args.workers):
        print(f'store: {done.store}')
        print(f'{done.recordings:,} recordings, {done.samples:,} samples, {done.size / 2**20:,.1f} MiB, {done.seconds:.1f} s')
    fold = [] if args.fold is None else ['--fold', str(args.fold)]
    options = ['--cfg-options', *(f'{key}={value}' for key, value in args.cfg_options.items())] if args.cfg_options else []
    print(f'next: {shlex.join(["python", "tools/train.py", args.config, *fold, *options])}')


def main() -> None:
    args = parse_args()
    try:
        dict(inspect=inspect, check=check, convert=convert)[args.action](args)
    except (ValueError, KeyError, OSError, ImportError) as error:
        sys.exit(f'error: {error.args[0] if isinstance(error, KeyError) else error}')


if __name__ == '__main__':
    main()
