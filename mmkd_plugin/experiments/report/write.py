"""A report as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..embeddings import Embedding
from .build import Report
from .csv import to_csv
from .diagram import draw_ranks
from .latex import to_latex
from .markdown import to_markdown
from .page import to_html

__all__ = ['write_report']


def write_report(report: Report, folder: str | Path, embeddings: Sequence[Embedding] = ()) -> list[Path]:
    """Write ``report.md`` and ``report.html``, every table as ``<name>.csv`` and ``<name>.tex``, and the drawing of ranks.

    ``ranks.svg`` is written where there are ranks to draw.

    Args:
        report (Report): From :func:`~mmkd_plugin.experiments.report.build_report`.
        folder (str | Path): Made where it does not exist.
        embeddings (Sequence[Embedding]): For the page.

    Returns:
        list[Path]: The files.
    """
    from mmkd_plugin.fileio import write_atomically  # heavy: not at import

    files = {'report.md': to_markdown(report).encode(), 'report.html': to_html(report, embeddings).encode()}
    for table in report.tables:
        files |= {f'{table.name}.csv': to_csv(table).encode(), f'{table.name}.tex': to_latex(table).encode()}
    drawing = draw_ranks(report.ranks)
    if drawing is not None:
        files['ranks.svg'] = drawing
    for name, content in files.items():
        write_atomically(content, Path(folder, name))
    return [Path(folder, name) for name in files]
