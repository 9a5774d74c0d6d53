"""``mmkd report``: tables and a page from records."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmkd_plugin.experiments import Cell
    from mmkd_plugin.experiments.embeddings import Embedding

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('records', nargs='+', help='files of records, or folders of sweeps that hold a runs.jsonl')
    parser.add_argument('--baseline', metavar='NAME', help='method to compare with; the student without teachers by default')
    parser.add_argument(
        '--metric',
        choices=['accuracy', 'macro_f1'],
        default='accuracy',
        help='what is compared; macro_f1 over the classes there are',
    )
    parser.add_argument(
        '--epoch',
        choices=['best', 'last'],
        default='best',
        help='which epoch is compared: the best on validation, or the last one, which nobody chooses',
    )
    parser.add_argument(
        '--equivalence', type=float, default=1.0, metavar='POINTS', help='differences up to this do not matter in practice (1)'
    )
    parser.add_argument('--seeds', nargs='+', type=int, help='only runs with these seeds')
    parser.add_argument(
        '--legacy', action='store_true', help='add a column that is chosen on the test split, as in older work; it is no result'
    )
    parser.add_argument(
        '--embeddings',
        action='store_true',
        help="draw and compare embeddings of test windows on the page, from the runs' checkpoints; a run of every method",
    )
    parser.add_argument('--folder', help='where the report is written; report/ beside the first records by default')


def run(args: argparse.Namespace) -> None:
    """Print the report as Markdown, and write it as a page too, with its tables as CSV and LaTeX."""
    from mmkd_plugin.experiments import read_records
    from mmkd_plugin.experiments.report import build_report, to_markdown, write_report

    paths = [_file_of(path) for path in args.records]
    records = [record for path in paths for record in read_records(path, say=lambda line: print(line, file=sys.stderr))]
    trials = [record for record in records if record['trial']]
    records = [record for record in records if not record['trial']]
    if trials:
        print(f'{len(trials)} records of trials are left out: they have no figure of the test split', file=sys.stderr)
    if args.seeds:
        seeds = sorted({record['seed'] for record in records})
        unknown = sorted(set(args.seeds) - set(seeds))
        if unknown:
            raise ValueError(
                f'no run has the seed {", ".join(map(str, unknown))}; the records have {", ".join(map(str, seeds))}'
            )
        records = [record for record in records if record['seed'] in args.seeds]
    if not records:
        hint = '; train the winner of the search, or sweep over it' if trials else ''
        raise ValueError(f'{", ".join(map(str, paths))}: there is no record of a run to report on{hint}')
    report = build_report(records, args.baseline, args.metric, args.equivalence, args.legacy, args.epoch)
    folder = Path(args.folder) if args.folder else paths[0].parent / 'report'
    files = write_report(report, folder, _embed(report.cells) if args.embeddings else [])
    print(to_markdown(report))
    print(f'report: {files[0]}  page: {files[1]}  tables: {folder}/*.csv, *.tex')


def _embed(cells: Sequence[Cell]) -> list[Embedding]:
    """Return embeddings of one run of every method; a run whose checkpoints or data are gone is named and left out."""
    from mmkd_plugin.apis import embed_windows
    from mmkd_plugin.experiments.embeddings import choose_runs, collect

    embeddings = []
    for run in choose_runs(cells):
        data, method, record = run
        try:
            embeddings += collect(run, embed_windows(record['config']['resolved'], record['networks']))
        except (OSError, ValueError, KeyError, ImportError) as error:
            print(f'no embeddings of {method} on {data}: {error}', file=sys.stderr)
    return embeddings


def _file_of(path: str) -> Path:
    file = Path(path, 'runs.jsonl') if Path(path).is_dir() else Path(path)
    if not file.is_file():
        raise FileNotFoundError(f'there are no records {file}; `mmkd sweep` writes them')
    return file
