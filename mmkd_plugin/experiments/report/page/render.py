"""A report as one HTML file: style, script and drawings are in it, and it asks no server for anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...embeddings import Embedding, similarity_table
from ...statistics import require
from ...tables import NAMES, TITLES, Table, Value
from ..build import Report
from ..diagram import draw_ranks
from ..markdown import format_value
from .artifacts import artifact_table
from .confusions import confusions
from .curves import curve_charts, weight_charts
from .differences import strip_charts, subject_table
from .embedding_charts import embedding_charts
from .runs import run_table
from .sizes import size_charts
from .svg import MARKERS, Drawing, join, tag

__all__ = ['to_html']

HERE = Path(__file__).parent
# Where a table of the report stands on the page; all others are among the figures.
SECTIONS = {
    'differences': ('comparison',),
    'missing': ('missing',),
    'teachers': ('teachers',),
    'ranks': ('ranks', 'nemenyi'),
    'variance': ('variance',),
}


def to_html(report: Report, embeddings: Sequence[Embedding] = ()) -> str:
    """Return a report as an HTML page that needs nothing beside it.

    Args:
        report (Report): From :func:`~mmkd_plugin.experiments.report.build_report`.
        embeddings (Sequence[Embedding]): Of the networks whose embeddings are drawn and compared.

    Returns:
        str: The same for the same records; every name in it is escaped.

    Raises:
        ImportError: Jinja2 is not installed.
    """
    jinja2 = require('jinja2')
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters['figure'] = _figure
    return environment.get_template('page.html.j2').render(**_content(report, embeddings)) + '\n'


def _content(report: Report, embeddings: Sequence[Embedding]) -> Mapping[str, Any]:
    cells, base = report.cells, report.baseline
    placed = {name: section for section, names in SECTIONS.items() for name in names}
    tables: dict[str, list[Table]] = {section: [] for section in (*SECTIONS, 'figures')}
    for table in report.tables:
        tables[placed.get(table.name, 'figures')].append(table)
    ranks = draw_ranks(report.ranks)
    return {
        'report': report,
        'facts': _facts(report),
        'tables': tables,
        'strips': strip_charts(report.comparisons, report.equivalence),
        'subjects': subject_table(report.comparisons, base or ''),
        'runs': run_table(cells),
        'curves': curve_charts(cells, base),
        'weights': weight_charts(cells),
        'epoch': TITLES[report.which],
        'confusions': confusions(cells, base, report.which),
        'sizes': size_charts(cells, report.metric, report.which),
        'artifacts': artifact_table(cells),
        'embeddings': embedding_charts(embeddings),
        'similarity': similarity_table(embeddings),
        'ranks_drawing': Drawing(_bare(ranks.decode())) if ranks else None,
        'markers': join(tag('path', id=name, d=outline) for name, outline in MARKERS.items()),
        'style': Drawing((HERE / 'page.css').read_text(encoding='utf-8')),
        'script': Drawing((HERE / 'page.js').read_text(encoding='utf-8')),
    }


def _figure(value: Value, digits: int | None) -> str:
    text = format_value(value, digits)
    return text if isinstance(value, str) else text.replace('-', '−')


def _facts(report: Report) -> list[str]:
    """Return what the report is about, in short pieces."""
    records = {id(record): record for cell in report.cells for record in cell.records.values()}
    subjects = {(record['data'], name) for record in records.values() for name in record['subjects'].get('test', ())}
    data = {cell.data for cell in report.cells}
    methods = {cell.name for cell in report.cells if cell.role == 'student' and cell.rows}
    counts = [
        (len(records), 'finished run'),
        (len(methods), 'method'),
        (len(data), 'data set'),
        (len(subjects), 'test subject'),
    ]
    facts = [f'{count:,} {noun}{"" if count == 1 else "s"}' for count, noun in counts]
    facts.append(f'compared with {report.baseline}' if report.baseline else 'no baseline')
    return [*facts, f'{NAMES[report.metric]}, {TITLES[report.which]}']


def _bare(drawing: str) -> str:
    """Return the SVG element of a file, without the head that stands before one."""
    return drawing[drawing.index('<svg') :]
