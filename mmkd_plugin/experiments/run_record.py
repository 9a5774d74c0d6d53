"""The record of a finished run, made from its folder alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .records import VERSION
from .scores import complementarity, score

__all__ = ['record_of']

UNSEEN = {'best': None, 'last': None}


def record_of(
    work_dir: str | Path,
    key: str | None = None,
    settings: Mapping[str, Any] | None = None,
    trial: Mapping[str, Any] | None = None,
) -> dict:
    """Return the record of a finished run: what ``result.json`` says, and figures computed from ``predictions.npz``.

    Args:
        work_dir (str | Path): Folder of the run.
        key (str, optional): By which whoever planned the run finds its record again.
        settings (Mapping[str, Any], optional): Keys of the config that were set for this run, as the axes of a sweep do; they
            stand beside the method's name in tables.
        trial (Mapping[str, Any], optional): ``study`` and ``number`` of the trial of a search that the run is of. The record
            then has no figure of the test split: what is chosen by records must not be chosen on it.

    Returns:
        dict: See :data:`~mmkd_plugin.experiments.records.FIELDS`.

    Raises:
        FileNotFoundError: The run has not come to its end.
        ValueError: A file is damaged, is older than records, or belongs to another run.
    """
    from mmkd_plugin.fileio import read_curves, read_predictions, read_result  # heavy: not at import

    result, arrays = read_result(work_dir), read_predictions(work_dir)
    origin = result.get('run')
    if not isinstance(origin, dict) or 'subjects' not in arrays:
        raise ValueError(f'{work_dir} is of an older mmkd_plugin: its result does not say where it comes from; train again')
    if len(arrays['labels']) != result['n_test']:
        raise ValueError(
            f'{work_dir}: result.json is of {result["n_test"]} windows and predictions.npz of {len(arrays["labels"])}; '
            'they are not of one run'
        )
    rows = result['networks']
    classes = origin['class_names'] or [str(label) for label in range(result['classes'])]
    teachers = {row['name']: row['sha256'] for row in rows if row['role'] == 'teacher'}
    return {
        'version': VERSION,
        'key': key,
        'method': origin['method'],
        'settings': dict(settings or {}),
        'data': origin['data'],
        'fold': origin['fold'],
        'seed': origin['seed'],
        'quick': result['quick'],
        'ended': {'state': 'finished', 'reason': None},
        'fingerprints': {'config': origin['fingerprint'], 'data': result['windows']['sha256'], 'teachers': teachers},
        'config': {'path': origin['config'], 'resolved': origin['resolved']},
        'code': origin['code'],
        'stack': origin['stack'],
        'process': origin['process'],
        'classes': classes,
        'subjects': origin['subjects'],
        'windows': {
            **{split: result['windows'].get(split, 0) for split in ('train', 'val', 'test')},
            **{key: value for key, value in result['windows'].items() if key == 'lacking'},
        },
        'networks': [_network(row, arrays, classes) if trial is None else {**row, 'test': dict(UNSEEN)} for row in rows],
        'complementarity': {
            which: _teachers(list(teachers), arrays, which) if trial is None else [] for which in ('best', 'last')
        },
        'curves': read_curves(work_dir),
        'faults': result['faults'],
        'work_dir': str(work_dir),
        'trial': None if trial is None else dict(trial),
    }


def _network(row: Mapping[str, Any], arrays: Mapping[str, NDArray], classes: list[str]) -> dict:
    """Return a row with figures by class and by subject; a detector, which names no class, keeps the run's own metrics."""
    test = dict(row['test'])
    for which in ('best', 'last') if row['role'] != 'detector' else ():
        logits = arrays.get(f'{row["name"]}/{which}')
        figures = None if logits is None else score(logits, arrays['labels'], arrays['subjects'], classes)
        measured = row['test'][which] or {}
        # The host's other metrics, with a prefix, stay; its macro-F1 counts classes that the split does not have.
        test[which] = figures and {**{name: value for name, value in measured.items() if '/' in name}, **figures}
    return {**row, 'test': test}


def _teachers(names: list[str], arrays: Mapping[str, NDArray], which: str) -> list[dict]:
    logits = {name: arrays[f'{name}/{which}'] for name in names if f'{name}/{which}' in arrays}
    same = {values.shape[1] for values in logits.values()}
    return complementarity(logits, arrays['labels'], arrays['subjects']) if len(same) == 1 else []
