"""``mmkd doctor``: transfers and teachers on a few batches, or teachers beside the student trained alone."""

from __future__ import annotations

import argparse

from .arguments import CONFIG_OPTIONS, add_config_arguments, command_line, config_of, repeat
from .errors import fail

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config_arguments(parser)
    either = parser.add_mutually_exclusive_group()
    either.add_argument('--batches', type=int, default=3, help='training batches to look at')
    either.add_argument(
        '--teachers',
        action='store_true',
        help='rank the teachers, their ensemble and the student trained alone (which is trained once) on validation',
    )


def run(args: argparse.Namespace) -> int | None:
    """Print what the doctor has seen; a fault is an exit code."""
    from mmkd_plugin.apis import diagnose

    from .console import reporting

    if args.teachers:
        _rank(args)
        return None
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
    if diagnosis.teachers:
        _print_below(args, diagnosis.below)
    if diagnosis.faults:
        return fail('\n'.join(f'fault: {fault}' for fault in diagnosis.faults))
    print('no fault found')
    return None


def _print_below(args: argparse.Namespace, below: tuple[str, ...] | None) -> None:
    """Print which teachers are below the student trained alone, or how that is found out."""
    if below is None:
        command = command_line('doctor', args.config, *repeat(args, *CONFIG_OPTIONS), '--teachers')
        print(f'whether teachers are above the student trained alone, which has not been trained: {command}')
    for sentence in below or ():
        print(f'warning: {sentence}')


def _rank(args: argparse.Namespace) -> None:
    """Print the teachers beside the student trained alone."""
    from mmkd_plugin.apis import rank_teachers
    from mmkd_plugin.experiments.ranking_tables import ranking_tables
    from mmkd_plugin.experiments.report import to_text

    from .console import reporting

    with reporting():
        ranking = rank_teachers(config_of(args))
    print('\n\n'.join(to_text(table) for table in ranking_tables(ranking)))
    for sentence in ranking.warnings:
        print(f'warning: {sentence}')
