"""The end of a run: its figures as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from mmkd_plugin.engine.atomic import write_atomically

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
    width = max(map(len, networks))
    rule = '-' * (width + 61)
    chance = 100 / result['classes']
    lines = [
        f'test on {result["n_test"]} windows of unseen subjects, {result["classes"]} classes (chance {chance:.1f} %)',
        rule,
        f'{"":{width}}  {"parameters":>10}  {"best on validation":^22}  {"last epoch":^22}',
        f'{"":{width}}  {"":>10}  {"accuracy":>10}  {"macro-F1":>10}  {"accuracy":>10}  {"macro-F1":>10}',
        rule,
    ]
    for name, row in networks.items():
        cells = [_percent(row['test'].get(which), key) for which in ('best', 'last') for key in ('accuracy', 'macro_f1')]
        lines.append(f'{name:{width}}  {row["params"]:>10,}  ' + '  '.join(f'{cell:>10}' for cell in cells))
    lines += [rule, f'student checkpoint: {result["student"]["checkpoint"]}']
    return '\n'.join(lines)


def _percent(figures: dict | None, key: str) -> str:
    return '-' if figures is None else f'{100 * figures[key]:.2f}'
