"""Figures of one network by subject and by class, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .tables import Column, Table

__all__ = ['breakdown']


def breakdown(score: Mapping[str, Any], group: str) -> Table:
    """Return the figures of a network by subject or by class.

    Args:
        score (Mapping): From :func:`~mmkd_plugin.experiments.scores.score`.
        group (str): 'subject' or 'class'.

    Returns:
        Table: Figures in per cent; a class without a window has none.
    """
    if group == 'class':
        keys, rows = ['precision', 'recall', 'f1'], score['classes']
        note = 'recall is the share of the windows of a class that are right'
    else:
        keys, rows = ['accuracy', 'macro_f1'], score['subjects']
        note = 'macro-F1 of a subject is over the classes that the subject has windows of'
    names = [key.replace('_', '-').replace('f1', 'F1') for key in keys]
    columns = [Column(group), Column('windows', 0), Column('right', 0), *(Column(f'{name} %', 2) for name in names)]
    values = [(row[group], row['n'], row['correct'], *(_percent(row[key]) for key in keys)) for row in rows]
    return Table(f'test_by_{group}', f'by {group}', tuple(columns), tuple(values), (note,))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
