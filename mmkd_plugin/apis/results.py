"""The end of a run: its figures as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from mmkd_plugin.fileio import write_atomically

__all__ = ['format_table', 'read_result', 'write_result']


def write_result(result: dict, work_dir: str | Path) -> Path:
    """Write ``result.json``."""
    path = Path(work_dir, 'result.json')
    write_atomically((json.dumps(result, indent=2) + '\n').encode(), path)
    return path


def read_result(work_dir: str | Path) -> dict:
    """Read ``result.json``."""
    return json.loads(Path(work_dir, 'result.json').read_text())


def format_table(result: dict) -> str:
    """Test figures of the student and its teachers, in percent, best-on-validation beside last epoch.

    Args:
        result (dict): As in ``result.json``.

    Returns:
        str: Lines to print.
    """
    networks = {**{f'teacher {name}': row for name, row in result['teachers'].items()}, 'student': result['student']}
    networks.update({f'with it: {name}': row for name, row in result.get('learners', {}).items()})
    if 'detector' in result:
        networks['detector'] = result['detector']
    width = max(map(len, networks))
    chance = 100 / result['classes']
    lines = [f'test on {result["n_test"]} windows of unseen subjects, {result["classes"]} classes (chance {chance:.1f} %)']
    shown = None
    for name, row in networks.items():
        keys = list(next(figures for figures in row['test'].values() if figures))
        if keys != shown:
            lines += _head(keys, width)
            shown = keys
        cells = [_percent(row['test'].get(which), key) for which in ('best', 'last') for key in keys]
        lines.append(f'{name:{width}}  {row["params"]:>10,}  ' + '  '.join(f'{cell:>10}' for cell in cells))
    lines.append('-' * len(lines[1]))
    lines += [f'the doctor found: {fault}' for fault in result.get('faults', [])]
    lines.append(f'student checkpoint: {result["student"]["checkpoint"]}')
    return '\n'.join(lines)


def _head(keys: list[str], width: int) -> list[str]:
    span = 12 * len(keys) - 2
    rule = '-' * (width + 14 + 2 * span + 2)
    names = '  '.join(f'{key.replace("_", "-"):>10}' for key in keys)
    return [
        rule,
        f'{"":{width}}  {"parameters":>10}  {"best on validation":^{span}}  {"last epoch":^{span}}',
        f'{"":{width}}  {"":>10}  {names}  {names}',
        rule,
    ]


def _percent(figures: dict | None, key: str) -> str:
    return '-' if figures is None else f'{100 * figures[key]:.2f}'
