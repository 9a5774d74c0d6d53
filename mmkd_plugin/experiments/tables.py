"""Tables of runs, made from their records alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import mean, stdev

__all__ = ['markdown_table']


def markdown_table(records: Iterable[dict]) -> str:
    """Return test metrics in percent, mean ± standard deviation over seeds, best on validation beside last epoch.

    Teachers come first, once each: by name and by the hash of their weights. Then the networks of every config: the student by
    the config's name, learners and detector by both names. Rows with other metrics have a table of their own.

    Args:
        records (Iterable[dict]): Lines of ``runs.jsonl``.

    Returns:
        str: One Markdown table or several.
    """
    records = list(records)
    teachers, others = {}, defaultdict(list)
    for record in records:
        for row in record['result']['networks']:
            if row['role'] == 'teacher':
                teachers[f'teacher {row["name"]}', row['sha256']] = [row]
            else:
                title = record['name'] if row['role'] == 'student' else f'{record["name"]}: {row["name"]}'
                others[title, record['key']].append(row)
    absent = sorted({name for record in records for name in record['result'].get('absent') or ()})
    titles = [title for title, _ in [*teachers, *others]]
    tables = defaultdict(list)
    for (title, key), rows in {**teachers, **others}.items():
        # Metrics with a prefix are the host's own or a user's, in any unit.
        columns = tuple(name for name in next(metrics for metrics in rows[0]['test'].values() if metrics) if '/' not in name)
        shown = f'{title} ({key[:6]})' if titles.count(title) > 1 else title
        cells = [_cell([row['test'][which] for row in rows], name) for which in ('best', 'last') for name in columns]
        tables[columns].append(f'| {shown} | {rows[0]["params"]:,} | {len(rows)} | ' + ' | '.join(cells) + ' |')
    notes = [f'Without a test window, and left out of macro-F1: {", ".join(absent)}.'] if absent else []
    runs = [(f'{record["name"]}, seed {record["seed"]}', record['result'].get('faults') or ()) for record in records]
    faults = [f'- {run}: {fault}' for run, each in runs for fault in each]
    notes += ['\n'.join(['The doctor found:', '', *faults])] if faults else []
    return '\n\n'.join([*('\n'.join([_head(columns), *lines]) for columns, lines in tables.items()), *notes])


def _head(columns: tuple[str, ...]) -> str:
    names = [f'{name.replace("_", "-")}, {which}' for which in ('best', 'last') for name in columns]
    return f'| network | parameters | seeds | {" | ".join(names)} |\n|---|' + '---:|' * (2 + len(names))


def _cell(metrics: list[dict | None], name: str) -> str:
    values = [100 * row[name] for row in metrics if row is not None]
    if not values:
        return '-'
    return f'{mean(values):.2f}' + (f' ± {stdev(values):.2f}' if len(values) > 1 else '')
