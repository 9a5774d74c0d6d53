"""``mmkd test``: metrics of a checkpoint on the test subjects."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_config_arguments, add_seen_argument, config_of

if TYPE_CHECKING:
    from mmkd_plugin.apis import Evaluation

__all__ = ['add_arguments', 'run']

GROUPS = ('subject', 'class')


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
    parser.add_argument(
        '--per',
        type=_groups,
        default=(),
        metavar='GROUPS',
        help=f'show the figures of each group too: {", ".join(GROUPS)}, or both with a comma between them',
    )
    parser.add_argument(
        '--plot',
        action='store_true',
        help='draw the confusion matrix, counts and shares, into confusion.png in the work dir',
    )


def _groups(text: str) -> tuple[str, ...]:
    """Return the groups that are named between commas."""
    groups = tuple(dict.fromkeys(text.split(',')))
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise argparse.ArgumentTypeError(f'{unknown[0]!r} is none of {", ".join(GROUPS)}')
    return groups


def run(args: argparse.Namespace) -> None:
    """Test, and print the metrics."""
    from mmkd_plugin.apis import choose_corruptions, evaluate_corruptions, evaluate_windows, format_corruptions

    from .console import reporting

    suite = choose_corruptions(args.corruptions or [])
    _check_options(args)
    cfg = config_of(args, work_dir=args.work_dir, allow_seen_subjects=args.allow_seen_subjects)
    if args.corruptions is None:
        with reporting():
            evaluation = evaluate_windows(cfg, args.checkpoint)
        _show(args, evaluation, cfg.work_dir)
        print(json.dumps({'checkpoint': args.checkpoint, 'test': evaluation.metrics}))  # last, for programs
        return
    with reporting():
        result = evaluate_corruptions(cfg, args.checkpoint, suite)
    print(format_corruptions(result))
    print(f'metrics: {cfg.work_dir}/corruptions.json')


def _check_options(args: argparse.Namespace) -> None:
    """Refuse what could not be shown, before anything is tested."""
    given = [name for name in ('per', 'plot') if getattr(args, name)]
    if args.corruptions is not None and given:
        raise ValueError(f'--{given[0]} shows the test on windows as they are, and cannot be given with --corruptions')
    if args.plot:
        from mmkd_plugin.visualization import check_picture

        check_picture('confusion.png')


def _show(args: argparse.Namespace, evaluation: Evaluation, work_dir: str) -> None:
    """Print figures by group, and draw the confusion matrix."""
    if not (args.per or args.plot):
        return
    from mmkd_plugin.experiments.breakdown import breakdown
    from mmkd_plugin.experiments.report import to_text
    from mmkd_plugin.visualization import draw_confusion, save_figure

    score = evaluation.score()
    if score is None:
        raise ValueError('no window of the test split has a class and a response that is finite: there is nothing to show')
    for group in args.per:
        print(f'{to_text(breakdown(score, group))}\n')
    if args.plot:
        accuracy = f'accuracy {100 * score["accuracy"]:.2f} % on {score["n"]:,} windows'
        figure = draw_confusion(score['confusion'], evaluation.classes, f'{Path(args.checkpoint).name}, {accuracy}')
        print(f'confusion matrix: {save_figure(figure, Path(work_dir, "confusion.png"))}')
