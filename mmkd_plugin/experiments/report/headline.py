"""The answer first: what the comparisons say, in a sentence or two."""

from __future__ import annotations

from collections.abc import Sequence

from ..comparison import Comparison

__all__ = ['format_points', 'headline']

VERDICTS = ('above', 'below', 'equivalent', 'undecided')


def headline(comparisons: Sequence[Comparison], baseline: str, equivalence: float = 1.0, which: str = 'best') -> str:
    """Return the answer: the best method against the baseline and, where several methods are compared, how many stand where.

    Args:
        comparisons (Sequence[Comparison]): From :func:`~mmkd_plugin.experiments.comparison.compare`.
        baseline (str): Name of the method that the others are compared with.
        equivalence (float): As in :func:`~mmkd_plugin.experiments.comparison.compare`.
        which (str): As there; the 'last' epoch is named.

    Returns:
        str: Sentences on all data sets together or, where no method is on all of them, on each.
    """
    if not comparisons:
        return f'Nothing can be compared with {baseline}: no other method has all its runs on the same data.'
    widest = max(len(comparison.data) for comparison in comparisons)
    groups: dict[tuple[str, ...], list[Comparison]] = {}
    for comparison in comparisons:
        if len(comparison.data) == widest:
            groups.setdefault(comparison.data, []).append(comparison)
    return ' '.join(_answer(group, baseline, equivalence, which) for group in groups.values())


def _answer(group: list[Comparison], baseline: str, equivalence: float, which: str) -> str:
    best = max(group, key=lambda comparison: (comparison.difference.mean or 0.0, comparison.method))
    sentence = _sentence(best, best.method, baseline, equivalence, 'At the last epoch, on' if which == 'last' else 'On')
    if len(group) == 1:
        return sentence
    counts = [sum(comparison.verdict == verdict for comparison in group) for verdict in VERDICTS]
    tail = ', '.join(f'{count} {verdict}' for count, verdict in zip(counts, VERDICTS) if count)
    return f'{sentence} This is the highest of {len(group)} methods, which are: {tail}.'


def _sentence(comparison: Comparison, method: str, baseline: str, equivalence: float, on: str) -> str:
    d, names = comparison.difference, comparison.data
    where = f'{on} {names[0]}' if len(names) == 1 else f'{on} {len(names)} data sets'
    if d.mean is None:
        return f'{where} {method} and {baseline} have no subject in common.'
    interval = '' if d.low is None or d.high is None else f', interval {format_points(d.low)} to {format_points(d.high)}'
    if comparison.verdict in ('above', 'below'):
        moved = f'{d.gained} of {d.n} subjects gain' if comparison.verdict == 'above' else f'{d.lost} of {d.n} subjects lose'
        return f'{where} {method} is {format_points(abs(d.mean))} points {comparison.verdict} {baseline}{interval}, {moved}.'
    if comparison.verdict == 'equivalent':
        return (
            f'{where} {method} and {baseline} are equivalent: the difference is {format_points(d.mean)} points{interval}, '
            f'within ±{equivalence:g}; {d.gained} of {d.n} subjects gain, {d.lost} lose.'
        )
    reason = f' ({d.note})' if d.low is None else ''
    gain = f'{d.gained} of {d.n} subjects gain' if d.n > 1 else 'one subject'
    return (
        f'{where} no difference between {method} and {baseline} can be told{reason}: '
        f'the mean difference is {format_points(d.mean)} points{interval}, {gain}.'
    )


def format_points(value: float) -> str:
    """Return a number of points with one digit; a minus sign, and no minus zero."""
    return f'{value:.1f}'.replace('-0.0', '0.0').replace('-', '−')
