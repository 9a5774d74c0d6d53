"""Tables of runs, made from their records alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import mean, stdev

__all__ = ['markdown_table']


def markdown_table(records: Iterable[dict]) -> str:
    """Test figures in percent, mean ± standard deviation over seeds, best on validation beside last epoch.

    Teachers come first, once each: by name and by the hash of their weights. Then every config's student, and below it what
    else it has: learners that read further views beside it, a detector. Rows with other figures have a table of their own.

    Args:
        records (Iterable[dict]): Lines of ``runs.jsonl``.

    Returns:
        str: One Markdown table or several.
    """
    students, teachers = defaultdict(list), {}
    for record in records:
        result = record['result']
        for name, row in result['teachers'].items():
            teachers[f'teacher {name}', row['sha256']] = [row]
        students[record['name'], record['key']].append(result['student'])
        more = {**result.get('learners', {}), **({'detector': result['detector']} if 'detector' in result else {})}
        for name, row in more.items():
            students[f'{record["name"]}: {name}', record['key']].append(row)
    names = [name for name, _ in [*teachers, *students]]
    tables = defaultdict(list)
    for (name, identity), rows in {**teachers, **students}.items():
        keys = tuple(next(figures for figures in rows[0]['test'].values() if figures))
        shown = f'{name} ({identity[:6]})' if names.count(name) > 1 else name
        cells = [_cell([row['test'][which] for row in rows], key) for which in ('best', 'last') for key in keys]
        tables[keys].append(f'| {shown} | {rows[0]["params"]:,} | {len(rows)} | ' + ' | '.join(cells) + ' |')
    return '\n\n'.join('\n'.join([_head(keys), *lines]) for keys, lines in tables.items())


def _head(keys: tuple[str, ...]) -> str:
    figures = [f'{key.replace("_", "-")}, {which}' for which in ('best', 'last') for key in keys]
    return f'| network | parameters | seeds | {" | ".join(figures)} |\n|---|' + '---:|' * (2 + len(figures))


def _cell(figures: list[dict | None], key: str) -> str:
    values = [100 * row[key] for row in figures if row is not None]
    if not values:
        return '-'
    return f'{mean(values):.2f}' + (f' ± {stdev(values):.2f}' if len(values) > 1 else '')
