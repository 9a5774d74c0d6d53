"""Cells of tables: all runs of one network on one data set, with the runs that are missing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import Any

import numpy as np

from .records import finished
from .scores import pooled_macro_f1

__all__ = ['METRICS', 'SCRATCH', 'WHICH', 'Cell', 'cells_of', 'spread']

SCRATCH = 'supervised/student'  # the student without teachers: a row of every report
METRICS = ('accuracy', 'macro_f1')  # what is known of every subject
WHICH = ('best', 'last')  # epochs: the best on validation, and the last one
Run = tuple[int | None, int | str]  # fold, and seed or, of a teacher, its figures


@dataclass
class Cell:
    """One network on one data set.

    Figures are in points, that is per cent. A cell that lacks runs has no figures.

    Attributes:
        data (str): Name of the data.
        name (str): The method, with its settings; for other networks also their names.
        role (str): 'teacher', 'student', 'learner' or 'detector'.
        rows (dict): Rows of the records' ``networks``, by run.
        records (dict): The records, by run.
        expected (tuple[Run, ...]): Runs that the other methods on these data have, too.
        reasons (dict): How failed runs ended.
    """

    data: str
    name: str
    role: str
    rows: dict[Run, dict] = field(default_factory=dict)
    records: dict[Run, dict] = field(default_factory=dict)
    expected: tuple[Run, ...] = ()
    reasons: dict[Run, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[Run]:
        """Runs that other methods on these data have, and this one has not."""
        return [run for run in self.expected if run not in self.rows]

    @property
    def asked(self) -> bool:
        """Whether a record says that it was to be trained; the student without teachers may stand here without one."""
        return bool(self.rows or self.reasons)

    @property
    def complete(self) -> bool:
        """Whether there are runs, and none is missing."""
        return bool(self.rows) and not self.missing

    @property
    def count(self) -> str:
        """Number of runs, ``'6'`` or, where some are missing, ``'4 of 6'``."""
        return f'{len(self.rows)} of {len(self.expected)}' if self.missing else str(len(self.rows))

    def values(self, metric: str, which: str) -> dict[tuple[str, Run], float]:
        """Return the metric of every subject in every run that tests the subject, in points."""
        return {
            (row['subject'], run): 100 * row[metric]
            for run, network in self.rows.items()
            for row in (network['test'][which] or {}).get('subjects', ())
            if metric in row
        }

    def subjects(self, metric: str, which: str) -> dict[str, float]:
        """Return the metric of every subject, the mean over seeds, and over folds where several test the subject."""
        return {name: mean(values) for name, values in _group(self.values(metric, which), lambda key: key[0]).items()}

    def folds(self, metric: str, which: str, single: bool = True) -> dict[int | None, float]:
        """Return the metric of every fold's windows, the mean over seeds; ``single``: also folds of a single class."""
        values = {run: 100 * split[metric] for run, split in self._splits(which, single).items() if metric in split}
        return {fold: mean(group) for fold, group in _group(values, lambda run: run[0]).items()}

    def pooled(self, metric: str, which: str, single: bool = True) -> float | None:
        """Return the metric of the windows of all folds together, the mean over seeds."""
        groups: dict[Any, list[dict]] = defaultdict(list)
        for (_, seed), split in self._splits(which, single).items():
            groups[seed if self.role != 'teacher' else None].append(split)
        pools = [_pool(splits, metric) for splits in groups.values()]
        return _mean(100 * share for share in pools if share is not None) if None not in pools else None

    def seed_means(self, metric: str, which: str) -> list[float]:
        """Return the mean over subjects of every seed."""
        return [mean(values) for values in _group(self.values(metric, which), lambda key: key[1][1]).values()]

    def figure(self, name: str, which: str) -> float | None:
        """Return the mean over runs of a figure of the whole split, as it stands in the records."""
        return _mean(split[name] for split in self._splits(which).values() if split.get(name) is not None)

    def absent(self) -> dict[int | None, list[str]]:
        """Return the classes that a fold's test windows do not have, by fold."""
        folds = {run[0]: split.get('absent', []) for run, split in self._splits('best').items()}
        return {fold: names for fold, names in folds.items() if names}

    def single_class_folds(self) -> list[int | None]:
        """Return the folds whose test windows are all of one class."""
        return sorted({run[0] for run, split in self._splits('best').items() if _classes(split) == 1}, key=str)

    def _splits(self, which: str, single: bool = True) -> dict[Run, dict]:
        splits = {run: row['test'][which] for run, row in self.rows.items() if row['test'][which]}
        return {run: split for run, split in splits.items() if single or _classes(split) > 1}


def _classes(split: dict) -> int:
    """Return the number of classes that a split has; 0 where a record does not say, as one of another program's log."""
    return sum(row['n'] > 0 for row in split.get('classes', ()))


def _pool(splits: list[dict], metric: str) -> float | None:
    if not all('confusion' in split for split in splits):
        return None
    if len({(len(split['confusion']), *(row['class'] for row in split.get('classes', ()))) for split in splits}) != 1:
        return None  # the same number is another class in some
    if metric == 'accuracy':
        return sum(split['correct'] for split in splits) / sum(split['n'] for split in splits)
    return pooled_macro_f1(np.sum([split['confusion'] for split in splits], axis=0))


def _group(values: Mapping, key) -> dict[Any, list[float]]:
    groups = defaultdict(list)
    for name, value in values.items():
        groups[key(name)].append(value)
    return groups


def _mean(values: Iterable[float]) -> float | None:
    values = list(values)
    return mean(values) if values else None


def spread(values: Iterable[float]) -> float | None:
    """Return the standard deviation (n − 1), None for fewer than two values."""
    values = list(values)
    return stdev(values) if len(values) > 1 else None


def cells_of(records: Iterable[dict]) -> list[Cell]:
    """Sort the networks of all records into cells, by data and name, the student without teachers first.

    Every data set has a cell of the student without teachers, which lacks all runs where there is none. Runs that some method
    has on a data set are expected of every method there: all folds times all seeds.

    Args:
        records (Iterable[dict]): From :func:`~mmkd_plugin.experiments.records.read_records`.
    """
    records = list(records)
    names = _method_names(records)
    cells: dict[tuple[str, str, str], Cell] = {}
    for record in sorted(finished(records), key=lambda r: (r['data'], names[_method(r)], str(r['fold']), r['seed'])):
        for row in record['networks']:
            _add(cells, record, row, names[_method(record)])
    for data in sorted({record['data'] for record in records}):
        _expect(cells, data, [record for record in records if record['data'] == data], names)
    roles = ('teacher', 'student', 'learner', 'detector')
    return sorted(cells.values(), key=lambda c: (c.data, roles.index(c.role), c.name != SCRATCH, c.name))


def _add(cells: dict[tuple[str, str, str], Cell], record: dict, row: dict, method: str) -> None:
    role, data = row['role'], record['data']
    name = {'student': method, 'teacher': f'teacher {row["name"]}'}.get(role, f'{method}: {row["name"]}')
    cell = cells.setdefault((data, role, name), Cell(data, name, role))
    # One teacher serves many runs, some with the weights of its best epoch and some with those of the last; both rows have
    # the figures of both.
    run = (record['fold'], record['seed'] if role != 'teacher' else json.dumps([row['val'], row['test']], sort_keys=True))
    cell.rows[run], cell.records[run] = row, record


def _expect(cells: dict[tuple[str, str, str], Cell], data: str, records: list[dict], names: dict) -> None:
    """Say which runs every cell of a data set should have, and add the cells that have none."""
    folds = sorted({record['fold'] for record in records}, key=lambda fold: (fold is not None, fold))
    seeds = sorted({record['seed'] for record in records})
    for name in (SCRATCH, *(names[_method(record)] for record in records)):
        cells.setdefault((data, 'student', name), Cell(data, name, 'student'))
    for cell in cells.values():
        if cell.data != data:
            continue
        if cell.role == 'teacher':
            cell.expected = tuple(cell.rows)
            cell.expected += tuple((fold, 'no weights') for fold in folds if fold not in {run[0] for run in cell.rows})
        else:
            cell.expected = tuple((fold, seed) for fold in folds for seed in seeds)
    for record in records:
        if record['ended']['state'] != 'finished':
            cell = cells[data, 'student', names[_method(record)]]
            cell.reasons[record['fold'], record['seed']] = str(record['ended']['reason'])


def _method(record: dict) -> tuple:
    settings = tuple(f'{key}={value}' for key, value in sorted(record['settings'].items()))
    return record['data'], record['method'], settings, record['quick'], record['fingerprints'].get('config')


def _method_names(records: list[dict]) -> dict[tuple, str]:
    """Name every method: by config, with its settings, and with the start of its fingerprint where two have one name.

    First looks are marked where there are whole runs on the same data too.
    """
    kinds: dict[str, set] = defaultdict(set)
    known: dict[tuple[str, str], set] = defaultdict(set)
    methods = sorted(map(_method, records), key=repr)
    for data, *_, quick, _ in methods:
        kinds[data].add(quick)
    plain = {}
    for data, method, settings, quick, fingerprint in methods:
        marks = [*settings, *(['a first look'] if quick and len(kinds[data]) > 1 else [])]
        name = method + (f' ({", ".join(marks)})' if marks else '')
        plain[data, method, settings, quick, fingerprint] = name
        known[data, name] |= {fingerprint} - {None}  # a run that failed has none
    return {key: f'{name} [{key[-1][:6]}]' if key[-1] and len(known[key[0], name]) > 1 else name for key, name in plain.items()}
