"""The table of a search: how many trials every method has had, and the best of them on validation."""

from __future__ import annotations

from collections.abc import Mapping

from .search import Course, Search
from .study import STRIDE
from .tables import Column, Table

__all__ = ['budget_table']


def budget_table(search: Search) -> Table:
    """Return trials, the best figure on validation, and its settings, of every method.

    Args:
        search (Search): Begun.

    Returns:
        Table: Without any figure of the test split, on which nothing may be chosen.
    """
    objective = search.objective
    columns = [Column('data'), Column('method'), Column('runs of a trial', 0), Column('trials', 0)]
    columns += [Column('complete', 0), Column('pruned', 0), Column('failed', 0)]
    columns += [Column(f'best {objective} on validation', 2), Column('of its runs'), Column('trial', 0), Column('settings')]
    rows = tuple(_row(course) for course in search.courses)
    notes = []
    counts = {row[3] for row in rows}
    if len(counts) > 1:
        why = 'the search goes on until they have' if search.plan.space.sweep.fair else 'in proportion to the keys searched'
        notes.append(f'methods have not the same number of trials: {why}')
    title = f'Trials, and the best on validation, in points (seed of the sampler {search.plan.space.sampler_seed})'
    return Table('budget', title, tuple(columns), rows, tuple(notes))


def _row(course: Course) -> tuple:
    states = [trial.state.name for trial in course.study.trials]
    number, value = course.best or (None, None)
    settings = None if number is None else course.settings(number)
    runs = course.plan.runs
    method = course.plan.title.removesuffix(f' on {runs[0].data}')
    counts = [states.count(state) for state in ('COMPLETE', 'PRUNED', 'FAIL')]
    best = None if value is None else 100 * value
    each = _each_run(course.study.trials[number].intermediate_values) if number is not None and len(runs) > 1 else None
    return runs[0].data, method, len(runs), sum(counts), *counts, best, each, number, settings


def _each_run(curve: Mapping[int, float]) -> str:
    """Return what each run of a trial has reached, in points; a curve holds the mean with the runs before."""
    means = {step // STRIDE: curve[step] for step in sorted(curve)}
    values = [(index + 1) * value - index * means.get(index - 1, 0) for index, value in means.items()]
    return ', '.join(f'{100 * value:.2f}' for value in values)
