"""Learning curves of a run, read from what the host has logged."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ['plain_metrics', 'read_curves']

# The host's names of the metrics that tables show; other metrics keep the host's name, prefix and all.
NAMES = {'accuracy/top1': 'accuracy', 'single-label/f1-score': 'macro_f1'}
PERCENTAGES = ('accuracy/', 'single-label/')
LOGGED = ('loss', 'weight_', 'lr')  # starts of the names of training curves; times differ from run to run
DIGITS = 5
LARGEST = 2**63


def plain_metrics(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the host's metrics by the names that tables have, with its percentages as shares.

    Args:
        metrics (Mapping[str, Any]): As the host's evaluator gives them.

    Returns:
        dict[str, Any]: ``accuracy`` and ``macro_f1`` as shares from 0 to 1; a detector's metrics without their prefix; other
        metrics by the host's names.
    """
    return {NAMES.get(name, name.removeprefix('anomaly/')): _share(name, value) for name, value in metrics.items()}


def _share(name: str, value: Any) -> Any:
    if hasattr(value, 'tolist'):
        value = value.tolist()
    if not name.startswith(PERCENTAGES):
        return value
    return [entry / 100 for entry in value] if isinstance(value, list) else value / 100


def read_curves(work_dir: str | Path) -> dict[str, list]:
    """Read the curves of a run: the last values that were logged in every epoch.

    Args:
        work_dir (str | Path): Folder of the run.

    Returns:
        dict[str, list]: ``epoch``, from 1 on, and as long as that: ``lr``, ``loss`` and its terms ``loss_<name>``, weights of
        teachers ``weight_<transfer>/<teacher>``, and metrics on the validation split ``val_<metric>``; five digits, and None
        where there is no finite value. Empty where the host has logged nothing into files.
    """
    rows: dict[int, dict[str, Any]] = {}
    # Every start has a folder, named by its time; a resumed run goes on where the one before has left its checkpoint.
    for path in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        logged = [row for line in path.read_text(encoding='utf-8', errors='replace').split('\n') if (row := _parse(line))]
        first = min((row['epoch'] for row in logged if isinstance(row.get('epoch'), int)), default=None)
        if first is not None:  # else the last epoch has been validated and nothing more
            rows = {epoch: row for epoch, row in rows.items() if epoch < first}
        for row in logged:
            epoch, values = _values(row)
            rows.setdefault(epoch, {}).update(values)
    names = sorted({name for row in rows.values() for name in row})
    epochs = sorted(rows)
    return {'epoch': epochs, **{name: [rows[epoch].get(name) for epoch in epochs] for name in names}} if rows else {}


def _parse(line: str) -> dict | None:
    """Return a line's values; None for a line that a kill has torn."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get('epoch', row.get('step')), int) else None


def _values(row: dict) -> tuple[int, dict[str, float | None]]:
    """Return the epoch of a line and its values; a line of the training has its epoch, a validation's step is one."""
    if 'epoch' in row:
        return row['epoch'], {name: _round(value) for name, value in row.items() if name.startswith(LOGGED)}
    numbers = {name: value for name, value in row.items() if _is_number(value) and 'time' not in name}
    return row['step'], {f'val_{name}': _round(value) for name, value in plain_metrics(numbers).items() if name != 'step'}


def _round(value: Any) -> float | None:
    return float(f'{value:.{DIGITS}g}') if _is_number(value) and math.isfinite(value) else None


def _is_number(value: Any) -> bool:
    """Whether a value is a number that fits into a float, as a whole number of any length need not."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < LARGEST)
