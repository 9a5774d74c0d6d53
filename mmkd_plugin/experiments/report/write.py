"""A report as files."""

from __future__ import annotations

from pathlib import Path

from .build import Report
from .csv import to_csv
from .diagram import draw_ranks
from .latex import to_latex
from .markdown import to_markdown

__all__ = ['write_report']


def write_report(report: Report, folder: str | Path) -> list[Path]:
    """Write ``report.md``, every table as ``<name>.csv`` and ``<name>.tex``, and ``ranks.svg`` where there are ranks to draw.

    Args:
        report (Report): From :func:`~mmkd_plugin.experiments.report.build_report`.
        folder (str | Path): Made where it does not exist.

    Returns:
        list[Path]: The files.
    """
    from mmkd_plugin.fileio import write_atomically  # heavy: not at import

    files = {'report.md': to_markdown(report).encode()}
    for table in report.tables:
        files |= {f'{table.name}.csv': to_csv(table).encode(), f'{table.name}.tex': to_latex(table).encode()}
    drawing = draw_ranks(report.ranks)
    if drawing is not None:
        files['ranks.svg'] = drawing
    for name, content in files.items():
        write_atomically(content, Path(folder, name))
    return [Path(folder, name) for name in files]
