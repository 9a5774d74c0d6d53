"""Tables as LaTeX with the rules of the package booktabs, ready to paste."""

from __future__ import annotations

from ..tables import Table
from .markdown import format_value

__all__ = ['to_latex']

SPECIAL = {
    '\\': r'\textbackslash{}',
    '~': r'\textasciitilde{}',
    '^': r'\textasciicircum{}',
    '–': '--',
    '−': '$-$',
    '±': r'$\pm$',
}
SPECIAL |= {letter: f'\\{letter}' for letter in '&%$#_{}'}
SPECIAL |= {'<': r'\textless{}', '>': r'\textgreater{}', '|': r'\textbar{}', '"': "''"}


def to_latex(table: Table) -> str:
    """Return a table as a LaTeX ``table``, which needs the package booktabs."""
    sentences = [table.title, *(note[0].upper() + note[1:] for note in table.notes)]
    alignment = ''.join('l' if column.digits is None else 'r' for column in table.columns)
    lines = [
        '% needs \\usepackage{booktabs}',
        '\\begin{table}',
        '\\centering',
        f'\\caption{{{" ".join(_escape(sentence) + "." for sentence in sentences)}}}',
        f'\\label{{tab:{table.name}}}',
        f'\\begin{{tabular}}{{{alignment}}}',
        '\\toprule',
        _row([_escape(column.name) for column in table.columns]),
        '\\midrule',
        *(_row([_number(format_value(v, c.digits), v) for v, c in zip(row, table.columns)]) for row in table.rows),
        '\\bottomrule',
        '\\end{tabular}',
        '\\end{table}',
    ]
    return '\n'.join(lines) + '\n'


def _row(texts: list[str]) -> str:
    return ' & '.join(texts) + r' \\'


def _number(text: str, value: object) -> str:
    """Return a cell; a negative number gets a minus sign in the place of a hyphen."""
    return f'${text}$' if not isinstance(value, str) and text.startswith('-') else _escape(text)


def _escape(text: str) -> str:
    return ''.join(SPECIAL.get(letter, letter) for letter in ' '.join(text.split()))
