"""Tables of a ranking of teachers."""

from __future__ import annotations

from .ranking import STUDENT, Knowledge, Ranking, Standing
from .report.headline import format_points
from .tables import Column, Table, Value

__all__ = ['ranking_tables']


def ranking_tables(ranking: Ranking) -> tuple[Table, ...]:
    """Return three tables: the classifiers, best first; what each teacher knows; and every two classifiers.

    Args:
        ranking (Ranking): From :func:`~mmkd_plugin.experiments.ranking.rank_classifiers`.
    """
    return _standings(ranking), _knowledge(ranking), _pairs(ranking)


def _standings(ranking: Ranking) -> Table:
    columns = [Column('network'), Column('reads'), Column('windows', 0), Column('accuracy', 2), Column('macro-F1', 2)]
    columns += [Column('NLL', 3), Column('ECE', 2), Column('Brier', 3), Column('parameters', 0), Column('MACs', 0)]
    columns += [Column('over student', 2), Column('interval'), Column('verdict')]
    rows = tuple(_standing_row(standing) for standing in ranking.standings)
    who = f'{ranking.subjects} {ranking.unit}{"s" * (ranking.subjects > 1)}'
    notes = [
        'accuracy, macro-F1 and ECE in points, NLL in nats; over student: accuracy on the same windows',
        f'interval and verdict: of the mean difference over {ranking.unit}s; none is corrected for the number of teachers',
    ]
    reason = next((each.difference.note for each in ranking.standings if each.difference.low is None), '')
    if reason:
        notes.append(reason.replace('subject', ranking.unit))
    title = f'Best first, on {ranking.n:,} validation windows of {who}'
    return Table('ranking', title, tuple(columns), rows, tuple(notes))


def _standing_row(standing: Standing) -> tuple[Value, ...]:
    d = standing.difference
    shares = 100 * standing.accuracy, 100 * standing.macro_f1
    row: tuple[Value, ...] = (standing.name, standing.size.view, standing.n, *shares)
    row += (standing.nll, 100 * standing.ece, standing.brier, standing.size.params, standing.size.macs)
    if standing.name == STUDENT:
        return (*row, None, None, None)
    interval = None if d.low is None or d.high is None else f'{format_points(d.low)} to {format_points(d.high)}'
    return (*row, 100 * (standing.accuracy - standing.student), interval, standing.verdict)


def _knowledge(ranking: Ranking) -> Table:
    columns = [Column('teacher'), Column('no other right', 2), Column('student wrong', 2), Column('only student right', 2)]
    columns += [Column('ensemble without', 2), Column('adds', 2), Column('most over student'), Column('most below student')]
    rows = tuple(_knowledge_row(each) for each in ranking.knowledge)
    notes = (
        'shares of its windows on which a teacher is right and no other teacher is, right and the student alone wrong,',
        'and wrong and the student alone right; accuracy of the ensemble of the others, and what it adds; recall by class',
        f'at least one teacher is right on {100 * ranking.oracle:.2f} % of the windows',
    )
    return Table('knowledge', 'What each teacher knows, in points', tuple(columns), rows, notes)


def _knowledge_row(each: Knowledge) -> tuple[Value, ...]:
    shares = [None if share is None else 100 * share for share in (each.only, each.beyond, each.behind, each.without)]
    classes = [None if change is None else f'{change[0]} {change[1]:+.1f}' for change in (each.gain, each.loss)]
    return (each.name, *shares, each.adds, *classes)


def _pairs(ranking: Ranking) -> Table:
    columns = [Column('pair'), Column('windows', 0), Column('same class', 2), Column('Q', 3), Column('both wrong', 2)]
    rows: list[tuple[Value, ...]] = []
    for pair in ranking.pairs:
        shares = [None if share is None else 100 * share for share in (pair.agreement, pair.double_fault)]
        rows.append((' and '.join(pair.names), pair.n, shares[0], pair.q, shares[1]))
    notes = (
        "Q: Yule's, of right and wrong (Kuncheva and Whitaker 2003): 1 where two are right on the same windows,",
        '0 where they are independent, below 0 where each is right where the other is wrong',
    )
    return Table('pairs', 'Every two, in points but for Q', tuple(columns), tuple(rows), notes)
