"""``mmkd train``: train a config, its missing teachers first."""

from __future__ import annotations

import argparse
import os

from .arguments import CONFIG_OPTIONS, add_config_arguments, add_seen_argument, command_line, config_of, repeat

__all__ = ['add_arguments', 'go_on', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config_arguments(parser)
    add_seen_argument(parser)
    parser.add_argument('--work-dir', help='where the run writes; work_dirs/<data>/<config> by default')
    parser.add_argument(
        '--resume', nargs='?', const=True, default=False, metavar='PATH', help='go on from the newest checkpoint, or from PATH'
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision (needs an accelerator)')
    parser.add_argument('--seed', type=int, help='seed of this run; teachers keep the one of their config')
    parser.add_argument('--verbose', action='store_true', help="show the host's whole log, which is in the work dir anyway")
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='pytorch under torchrun',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> None:
    """Train, and print the table of test metrics."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))

    from mmengine.dist import is_main_process

    from mmkd_plugin.apis import find_network, format_table, teachers_below, train

    from .console import reporting

    options = dict(work_dir=args.work_dir, resume=args.resume, amp=args.amp, launcher=args.launcher, seed=args.seed)
    cfg = config_of(args, allow_seen_subjects=args.allow_seen_subjects, **options)
    with reporting(args.verbose):
        result = train(cfg)
    if is_main_process():
        print('\n'.join([format_table(result), *(f'warning: {sentence}' for sentence in teachers_below(cfg, result))]))
        print(f'metrics: {cfg.work_dir}/result.json')
        more = repeat(args, 'work_dir', 'allow_seen_subjects', *CONFIG_OPTIONS)
        words = ['test', args.config, find_network(result)['checkpoint'], *more]
        print(f'next: {command_line(*words)}')


def go_on(args: argparse.Namespace) -> str:
    """Return the command that goes on from the newest checkpoint."""
    words = repeat(args, 'work_dir', 'amp', 'seed', 'verbose', 'allow_seen_subjects', *CONFIG_OPTIONS)
    if args.launcher == 'none':
        return command_line('train', args.config, *words, '--resume')
    return 'the same command with --resume'
