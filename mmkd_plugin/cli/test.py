"""``mmkd test``: metrics of a checkpoint on the test subjects."""

from __future__ import annotations

import argparse
import json

from .arguments import add_config_arguments, add_seen_argument, config_of

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config_arguments(parser)
    add_seen_argument(parser)
    parser.add_argument('checkpoint', help='<work_dir>/student_best.pth, or a checkpoint of the run')
    parser.add_argument('--work-dir', help='where the log is written; work_dirs/<data>/<config> by default')
    parser.add_argument(
        '--corruptions',
        nargs='*',
        metavar='NAME',
        help='test corrupted windows too: kinds (noise, missing, ...) or levels (noise-0.06), all of them by default',
    )


def run(args: argparse.Namespace) -> None:
    """Test, and print the metrics."""
    from mmkd_plugin.apis import choose_corruptions, evaluate_checkpoint, evaluate_corruptions, format_corruptions

    from .console import reporting

    suite = choose_corruptions(args.corruptions or [])
    cfg = config_of(args, work_dir=args.work_dir, allow_seen_subjects=args.allow_seen_subjects)
    if args.corruptions is None:
        with reporting():
            metrics = evaluate_checkpoint(cfg, args.checkpoint)
        print(json.dumps({'checkpoint': args.checkpoint, 'test': metrics}))
        return
    with reporting():
        result = evaluate_corruptions(cfg, args.checkpoint, suite)
    print(format_corruptions(result))
    print(f'metrics: {cfg.work_dir}/corruptions.json')
