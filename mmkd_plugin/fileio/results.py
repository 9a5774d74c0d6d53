"""What a run leaves beside its checkpoints: rows of networks as JSON, and the logits behind the metrics."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .arrays import load_npz
from .atomic import write_atomically

__all__ = ['find_network', 'read_predictions', 'read_result', 'write_predictions', 'write_result']


def write_result(result: dict, work_dir: str | Path) -> Path:
    """Write ``result.json``."""
    path = Path(work_dir, 'result.json')
    write_atomically((json.dumps(result, indent=2) + '\n').encode(), path)
    return path


def read_result(work_dir: str | Path) -> dict:
    """Read ``result.json``.

    Raises:
        FileNotFoundError: The run has no result yet.
        ValueError: The file is damaged, or is not a result.
    """
    path = Path(work_dir, 'result.json')
    try:
        result = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is damaged: {error}') from error
    rows = result.get('networks') if isinstance(result, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and {'name', 'role'} <= row.keys() for row in rows):
        raise ValueError(f'{path} is not the result of a run: it has no rows of networks')
    return result


def find_network(result: dict, role: str = 'student', name: str | None = None) -> dict:
    """Return the first row of a role, and of a name where one is given.

    Args:
        result (dict): As in ``result.json``.
        role (str): 'teacher', 'student', 'learner' or 'detector'.
        name (str, optional): Of the network.

    Raises:
        KeyError: The result has no such row.
    """
    for row in result['networks']:
        if row['role'] == role and name in (None, row['name']):
            return row
    known = ', '.join(f'{row["role"]} {row["name"]}' for row in result['networks'])
    raise KeyError(f'the result has no {role} {name or ""}'.rstrip() + f'; its networks are {known}')


def write_predictions(arrays: Mapping[str, NDArray], work_dir: str | Path) -> Path:
    """Write ``predictions.npz``: what every network says about every test window.

    Args:
        arrays (Mapping[str, NDArray]): ``window_ids``, ``subjects`` and ``labels``, each ``(n, )``, −1 for anomalies; logits
            ``(n, K)`` under ``<network>/best`` and ``<network>/last``; of a detector also ``detector/best/anomaly_score`` and
            ``detector/best/pred_anomaly``, ``(n, )``, and the same of ``last``. Windows that a network was not run on have
            NaN.
        work_dir (str | Path): Where ``result.json`` lies too.

    Returns:
        Path: The file.
    """
    path, buffer = Path(work_dir, 'predictions.npz'), io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    write_atomically(buffer.getvalue(), path)
    return path


def read_predictions(work_dir: str | Path) -> dict[str, NDArray]:
    """Read ``predictions.npz``, see :func:`write_predictions`.

    Raises:
        FileNotFoundError: The run has written none.
        ValueError: The file is damaged.
    """
    path = Path(work_dir, 'predictions.npz')
    try:
        return load_npz(path)
    except ValueError as error:
        raise ValueError(f'{path} is damaged: {error}') from error
