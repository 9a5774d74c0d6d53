"""Records from the text logs of other programs, by patterns that a user gives; nothing is told that a log does not say."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmkd_plugin.failures import time_limit

from .records import blank_record

__all__ = ['GROUPS', 'UNITS', 'read_log']

METRICS = ('accuracy', 'val_accuracy', 'macro_f1')
RUN = ('method', 'data', 'fold', 'seed', 'subject')
GROUPS = (*METRICS, 'epoch', *RUN)  # names that groups of a pattern may have
UNITS = {'percent': 100.0, 'share': 1.0}
LARGEST = 2**30  # bytes of a log
SECONDS = 20.0  # that the patterns may take for a file: some take longer than anybody waits on a line that nearly fits


@dataclass
class _Run:
    """What a log says of one run: its names, and the metrics of every epoch, by number or, without one, by line."""

    names: dict[str, str]
    epochs: dict[int, dict[str, float]] = field(default_factory=dict)


def read_log(
    path: str | Path,
    patterns: Sequence[str],
    unit: str,
    given: Mapping[str, Any] | None = None,
    best_on_test: bool = False,
    epochs: int | None = None,
) -> list[dict]:
    """Return a record for each run in a log.

    Every pattern is searched in the path of the file, then in each line. Groups name what they hold: ``accuracy`` (of the test
    split; needed), ``val_accuracy``, ``macro_f1``, ``epoch``, and of the run ``method``, ``data``, ``fold``, ``seed`` and
    ``subject``, the one who is tested. Another run begins where one of the latter changes.

    The last epoch's figure is 'last'; 'best' is that of the epoch with the highest ``val_accuracy``, and unknown without one.

    Args:
        path (str | Path): The log.
        patterns (Sequence[str]): Regular expressions with named groups.
        unit (str): Of the metrics, 'percent' or 'share'.
        given (Mapping[str, Any], optional): What no pattern gives, by the names of the groups.
        best_on_test (bool): Take the epoch that is best on the test split for 'best', as older work has done. The record says
            so, and so do reports.
        epochs (int, optional): Number of epochs that a whole run prints; a shorter one is recorded as failed.

    Returns:
        list[dict]: In the order of the log.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A pattern is wrong or takes too long, or the log does not give what a record needs.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    if path.stat().st_size > LARGEST:
        raise ValueError(f'{path} has {path.stat().st_size:,} bytes, expected a log of at most {LARGEST:,}')
    compiled = _compile(patterns)
    if unit not in UNITS:
        raise ValueError(f"unit must be 'percent' or 'share', got {unit!r}")
    limit = f'the patterns take longer than {SECONDS:g} s; nested repetitions such as (a+)+ do that'
    with time_limit(SECONDS, ValueError(f'{path}: {limit}')):
        runs = _runs(path, compiled, UNITS[unit], {name: str(value) for name, value in (given or {}).items()})
    if not runs:
        raise ValueError(f'{path}: no pattern finds an accuracy in it')
    source = dict(file=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), patterns=list(patterns))
    source['best'] = 'on the test split' if best_on_test else 'on validation'
    return [_record(path, run, source, best_on_test, epochs) for run in runs]


def _compile(patterns: Sequence[str]) -> list[re.Pattern]:
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern))
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f'pattern {pattern!r} is no regular expression: {error}') from error
    names = {name for pattern in compiled for name in pattern.groupindex}
    unknown = sorted(names - set(GROUPS))
    if unknown:
        from mmkd_plugin.structures import unknown_name  # heavy: not at import

        raise ValueError(unknown_name('group', unknown[0], GROUPS))
    if 'accuracy' not in names:
        raise ValueError("no pattern has a group 'accuracy', for example: 'accuracy: (?P<accuracy>[0-9.]+)'")
    return compiled


def _runs(path: Path, patterns: Sequence[re.Pattern], scale: float, given: dict[str, str]) -> list[_Run]:
    run, runs = _Run(given), []
    epoch: int | None = None
    for number, line in enumerate(_lines(path)):
        for pattern in patterns:
            match = pattern.search(line)
            groups = {name: text for name, text in match.groupdict().items() if text is not None} if match else {}
            names = {name: groups[name] for name in RUN if name in groups}
            if run.epochs and any(run.names.get(name) != text for name, text in names.items()):
                runs.append(run)
                run, epoch = _Run(dict(run.names)), None
            run.names = {**run.names, **names}
            if 'epoch' in groups:
                before, epoch = epoch, _whole(path, number, 'epoch', groups['epoch'])
                if before is not None and epoch < before:
                    raise ValueError(
                        f'{path}, line {number}: epoch {epoch} comes after {before}: another run begins, and no pattern tells '
                        f'the two apart by {", ".join(RUN)}'
                    )
            for metric in METRICS:
                if metric in groups:
                    key = number if epoch is None else epoch
                    run.epochs.setdefault(key, {})[metric] = _share(path, number, metric, groups[metric], scale)
    runs.append(run)
    return [run for run in runs if any('accuracy' in figures for figures in run.epochs.values())]


def _lines(path: Path) -> Iterator[str]:
    """Yield the path, as line 0, and the lines of a log."""
    yield str(path)
    with open(path, encoding='utf-8', errors='replace') as file:
        yield from file


def _whole(path: Path, number: int, name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f'{path}, line {number}: {name} is {text[:40]!r}, expected a whole number') from None


def _share(path: Path, number: int, metric: str, text: str, scale: float) -> float:
    try:
        value = float(text) / scale
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise ValueError(f'{path}, line {number}: {metric} is {text[:40]!r}, expected a number from 0 to {scale:g}')
    return value


def _record(path: Path, run: _Run, source: Mapping[str, Any], best_on_test: bool, epochs: int | None) -> dict:
    missing = [name for name in ('method', 'data', 'seed') if name not in run.names]
    if missing:
        raise ValueError(f'{path}: neither a pattern nor an option gives {" and ".join(missing)}')
    figures = [run.epochs[key] for key in sorted(run.epochs) if 'accuracy' in run.epochs[key]]
    validated = [each for each in figures if 'val_accuracy' in each]
    if not validated and any('val_accuracy' in each for each in run.epochs.values()):
        raise ValueError(f'{path}: val_accuracy and accuracy stand in different lines; a group epoch brings them together')
    chosen = max(figures, key=lambda each: each['accuracy']) if best_on_test else None
    if validated and not best_on_test:
        chosen = max(validated, key=lambda each: each['val_accuracy'])
    numbers = {name: _whole(path, 0, name, run.names[name]) for name in ('fold', 'seed') if name in run.names}
    record = blank_record(
        run.names['method'], run.names['data'], numbers['seed'], numbers.get('fold'), settings={'imported': 'log'}
    )
    record['code'] = {'version': None, 'commit': None, 'changed': None, 'imported': dict(source)}
    if epochs is not None and len(figures) < epochs:
        reason = f'the log {path} ends after {len(figures)} of {epochs} epochs'
        return {**record, 'ended': {'state': 'failed', 'reason': reason}}
    subject = run.names.get('subject')
    test = {which: _split(each, subject) for which, each in (('best', chosen), ('last', figures[-1]))}
    val = {'accuracy': chosen['val_accuracy']} if chosen and 'val_accuracy' in chosen else None
    unknown = dict(view=None, params=None, macs=None, checkpoint=None, sha256=None)
    curves = [(key, run.epochs[key]['val_accuracy']) for key in sorted(run.epochs) if 'val_accuracy' in run.epochs[key]]
    return {
        **record,
        'ended': {'state': 'finished', 'reason': None},
        'subjects': {} if subject is None else {'test': [subject]},
        'networks': [dict(name='student', role='student', **unknown, val=val, test=test)],
        'curves': dict(zip(('epoch', 'val_accuracy'), map(list, zip(*curves)))) if curves else {},
    }


def _split(figures: Mapping[str, float] | None, subject: str | None) -> dict[str, Any] | None:
    """Return the figures of a split, and of its one subject the same: nothing that the log does not say."""
    if figures is None:
        return None
    known = {name: figures[name] for name in ('accuracy', 'macro_f1') if name in figures}
    return {**known, 'subjects': [] if subject is None else [{'subject': subject, **known}]}
