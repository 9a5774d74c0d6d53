"""Reports: the answer in a sentence, then tables, as Markdown, HTML, CSV and LaTeX, made from records alone."""

from .build import Report, build_report, default_baseline
from .csv import to_csv
from .diagram import draw_ranks
from .headline import headline
from .latex import to_latex
from .markdown import to_markdown
from .page import to_html
from .text import to_text
from .write import write_report

__all__ = [
    'Report',
    'build_report',
    'default_baseline',
    'draw_ranks',
    'headline',
    'to_csv',
    'to_html',
    'to_latex',
    'to_markdown',
    'to_text',
    'write_report',
]
