"""``mmkd cache``: the outputs that are kept of teachers."""

from __future__ import annotations

import argparse

from .arguments import add_config_arguments, config_of
from .errors import fail

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('action', choices=['verify'], help='compute some windows again and compare')
    add_config_arguments(parser)
    parser.add_argument('--samples', type=int, default=16, help='windows to compute again')


def run(args: argparse.Namespace) -> int | None:
    """Compare what is kept with what the teachers give now."""
    from mmkd_plugin.apis import verify_caches

    from .console import reporting

    with reporting():
        checks = verify_caches(config_of(args), args.samples)
    for check in checks:
        state = 'damaged' if check.faults else 'not there'
        if check.complete:
            state = f'largest relative difference {check.error:.1e} over {check.samples} windows'
        print(f'teacher {check.teacher}: {state} ({check.folder})')
    stale = [check.teacher for check in checks if check.complete and not check.good]
    faults = [f'error: {fault}' for check in checks for fault in check.faults]
    if stale:
        faults.append(f'error: the outputs kept of {", ".join(stale)} are not what the teachers give; delete their folders')
    return fail('\n'.join(faults)) if faults else None
