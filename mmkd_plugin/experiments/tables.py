"""Tables of runs, made from their records alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import mean, stdev

__all__ = ['markdown_table']

COLUMNS = [(which, key) for which in ('best', 'last') for key in ('accuracy', 'macro_f1')]
HEAD = '| network | parameters | seeds | accuracy, best | macro-F1, best | accuracy, last | macro-F1, last |'


def markdown_table(records: Iterable[dict]) -> str:
    """Test figures in percent, mean ± standard deviation over seeds, best on validation beside last epoch.

    Teachers come first, once each: by name and by the hash of their weights.

    Args:
        records (Iterable[dict]): Lines of ``runs.jsonl``.

    Returns:
        str: A Markdown table.
    """
    students, teachers = defaultdict(list), {}
    for record in records:
        students[record['name'], record['key']].append(record['result']['student'])
        for name, row in record['result']['teachers'].items():
            teachers[f'teacher {name}', row['sha256']] = [row]
    names = [name for name, _ in [*teachers, *students]]
    lines = [HEAD, '|---|' + '---:|' * 6]
    for (name, identity), rows in {**teachers, **students}.items():
        shown = f'{name} ({identity[:6]})' if names.count(name) > 1 else name
        cells = [_cell([row['test'][which] for row in rows], key) for which, key in COLUMNS]
        lines.append(f'| {shown} | {rows[0]["params"]:,} | {len(rows)} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def _cell(figures: list[dict | None], key: str) -> str:
    values = [100 * row[key] for row in figures if row is not None]
    if not values:
        return '-'
    return f'{mean(values):.2f}' + (f' ± {stdev(values):.2f}' if len(values) > 1 else '')
