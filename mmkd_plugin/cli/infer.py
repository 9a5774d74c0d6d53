"""``mmkd infer``: decisions of an exported student on recordings, without the config and the data of its run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ['add_arguments', 'run']

FORMATS = {'.csv': 'csv', '.json': 'json'}  # by the ending of --out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('checkpoint', help='exported student, <work_dir>/student_best.pth')
    parser.add_argument(
        'files',
        nargs='+',
        metavar='FILE',
        help='CSV, Parquet, .npy or .npz, or a folder that recordings.yml or a reader describes',
    )
    parser.add_argument(
        '--rate',
        type=float,
        metavar='HZ',
        help="of the files; by default what they or their time stamps tell, else the student's",
    )
    parser.add_argument(
        '--hop', type=int, metavar='N', help="samples from the start of a window to that of the next; the student's by default"
    )
    parser.add_argument('--vote', choices=['mean'], help='average the probabilities of windows that overlap')
    parser.add_argument('--format', choices=['table', 'csv', 'json'], help='by default as --out ends, else a table')
    parser.add_argument('--out', metavar='FILE', help='where the decisions are written; standard output by default')
    parser.add_argument(
        '--strict', action='store_true', help='refuse signals that differ from what the student has learned from'
    )
    parser.add_argument('--device', help='such as cpu or cuda:0; by default an accelerator where there is one')
    parser.add_argument('--batch-size', type=int, default=256, metavar='N', help='windows that are run at once; 256 by default')


def run(args: argparse.Namespace) -> None:
    """Classify, and write the decisions."""
    _check_out(args)
    from mmkd_plugin.deploy import SignalInferencer, format_decisions
    from mmkd_plugin.fileio import write_atomically

    from .console import warnings_on_stderr

    ending = Path(args.out).suffix.lower() if args.out else ''
    kind = args.format or FORMATS.get(ending, 'table')
    with warnings_on_stderr():
        inferencer = SignalInferencer(args.checkpoint, args.device, show_progress=None if args.out else False)
        rows = inferencer(
            args.files, batch_size=args.batch_size, rate=args.rate, hop=args.hop, vote=args.vote, strict=args.strict
        )
    text = format_decisions(rows, kind)
    if not args.out:
        sys.stdout.write(text)
        return
    write_atomically(text.encode(), args.out)
    print(f'{len(rows):,} decisions on {len({row["source"] for row in rows}):,} file(s): {args.out}')


def _check_out(args: argparse.Namespace) -> None:
    """Refuse to write over what is to be read."""
    inputs = [Path(path).resolve() for path in (args.checkpoint, *args.files)]
    if args.out and Path(args.out).resolve() in inputs:
        raise ValueError(f'--out {args.out} is one of the files that are read')
    if args.out and Path(args.out).is_dir():
        raise ValueError(f'--out {args.out} is a folder, expected a file')
