"""``mmkd doctor``: transfers and teachers on a few batches."""

from __future__ import annotations

import argparse

from .arguments import add_config_arguments, config_of
from .errors import fail

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config_arguments(parser)
    parser.add_argument('--batches', type=int, default=3, help='training batches to look at')


def run(args: argparse.Namespace) -> int | None:
    """Print what the doctor has seen; a fault is an exit code."""
    from mmkd_plugin.apis import diagnose

    from .console import reporting

    with reporting():
        diagnosis = diagnose(config_of(args), args.batches)
    print('\n'.join([*diagnosis.windows, *(f'warning: {oddity}' for oddity in diagnosis.oddities), '']))
    for number, examination in enumerate(diagnosis.examinations, 1):
        print(f'batch {number}\n{examination.table()}\n')
    for name, size in diagnosis.connectors.items():
        print(f'connector {name}: {size}')
    for name, accuracy in diagnosis.teachers.items():
        record = diagnosis.records.get(name)
        recorded = 'its checkpoint records none' if record is None else f'its checkpoint says {100 * record:.2f} %'
        print(f'teacher {name}: {100 * accuracy:.2f} % on validation, {recorded}')
    if diagnosis.faults:
        return fail('\n'.join(f'fault: {fault}' for fault in diagnosis.faults))
    print('no fault found')
    return None
