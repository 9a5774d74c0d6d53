"""Statistics of differences between methods: every test is scipy's, statsmodels' or scikit-posthocs'."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin import compatibility

__all__ = [
    'Difference',
    'Ranks',
    'Variance',
    'correct_holm',
    'judge',
    'paired_difference',
    'rank_methods',
    'require',
    'variance_parts',
]

DIGITS = 10  # of a figure or a difference: sums of equal shares may differ in the last ones of a float
RESAMPLES, CONFIDENCE, ALPHA = 9_999, 0.95, 0.05


def require(name: str) -> ModuleType:
    """Import a package of the extra ``report``.

    Raises:
        ImportError: The package is not installed, or cannot be imported.
    """
    return compatibility.require(name, 'a report', 'mmkd_plugin[report]')


@dataclass(frozen=True)
class Difference:
    """The difference between two methods over subjects, in points.

    Attributes:
        n (int): Subjects.
        mean (float, optional): Mean difference; None without a subject.
        low (float, optional): Lower end of the 95 % interval of the mean; None where there is none, as ``note`` says.
        high (float, optional): Upper end.
        p (float, optional): Of Wilcoxon's signed-rank test, two-sided.
        gained (int): Subjects with a difference above 0.
        lost (int): Subjects with a difference below 0.
        note (str): What is particular about these differences, in a sentence; empty where nothing is.
    """

    n: int
    mean: float | None
    low: float | None
    high: float | None
    p: float | None
    gained: int
    lost: int
    note: str = ''


def paired_difference(differences: Sequence[float] | NDArray) -> Difference:
    """Return mean, BCa bootstrap interval and Wilcoxon's test of paired differences.

    Args:
        differences (Sequence[float]): One per subject, in points.
    """
    from scipy.stats import wilcoxon

    values = np.round(np.asarray(differences, dtype=np.float64), DIGITS)
    n, gained, lost = len(values), int((values > 0).sum()), int((values < 0).sum())
    if n < 3:
        note = ('no subject is in both', 'one subject: no interval and no test', 'two subjects: no interval and no test')[n]
        return Difference(n, float(values.mean()) if n else None, None, None, None, gained, lost, note)
    if not values.any():
        return Difference(n, 0.0, 0.0, 0.0, 1.0, 0, 0, 'no subject differs')
    p = float(wilcoxon(values).pvalue)
    low, high, note = _interval(values)
    smallest = 2.0 ** (1 - gained - lost)  # subjects without a difference do not count
    if smallest > ALPHA:
        note = '; '.join(filter(None, [note, f'few subjects differ ({gained + lost}): p cannot be below {smallest:.3g}']))
    return Difference(n, float(values.mean()), low, high, p, gained, lost, note)


def _interval(values: NDArray) -> tuple[float, float, str]:
    from scipy.stats import bootstrap

    if not np.ptp(values):
        return float(values[0]), float(values[0]), 'all differences are equal'
    notes = {'BCa': '', 'percentile': 'percentile interval, since BCa is not defined here'}
    for method in notes:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of degenerate data; the interval is NaN then
            result = bootstrap(
                (values,),
                np.mean,
                n_resamples=RESAMPLES,
                confidence_level=CONFIDENCE,
                method=method,
                random_state=np.random.default_rng(0),  # the same records give the same tables
            )
        low, high = map(float, result.confidence_interval)
        if np.isfinite([low, high]).all():
            break
    return low, high, notes[method]


def correct_holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values with Holm's correction; None, where there was no test, stays and does not count."""
    multipletests = require('statsmodels.stats.multitest').multipletests
    known = [p for p in p_values if p is not None]
    # One p-value alone stays; the package would collect garbage of the whole process all the same, which takes a while.
    corrected = iter(multipletests(known, method='holm')[1].tolist() if len(known) > 1 else known)
    return [None if p is None else next(corrected) for p in p_values]


def judge(difference: Difference, p: float | None, equivalence: float = 1.0) -> str:
    """Return what can be said of a difference: 'equivalent', 'above', 'below', 'undecided'.

    Args:
        difference (Difference): From :func:`paired_difference`.
        p (float, optional): Its p-value, corrected for the number of comparisons.
        equivalence (float): Differences up to this many points do not matter in practice.

    Returns:
        str: 'equivalent' where the whole interval lies within ± ``equivalence``; else 'above' or 'below' where 0 lies outside
        the interval and p is below 0.05.
    """
    low, high = difference.low, difference.high
    if low is None or high is None or p is None:
        return 'undecided'
    if -equivalence <= low and high <= equivalence:
        return 'equivalent'
    if p < ALPHA and (low > 0 or high < 0):
        return 'above' if low > 0 else 'below'
    return 'undecided'


@dataclass(frozen=True)
class Ranks:
    """Ranks of methods over data sets.

    Attributes:
        ranks (dict[str, float]): Mean rank by method, 1 is best; sorted.
        p (float, optional): Of Friedman's test.
        nemenyi (dict[str, dict[str, float]]): p-values of Nemenyi's test between every two methods.
        note (str): Why there is no test; empty where there is one.
    """

    ranks: dict[str, float]
    p: float | None
    nemenyi: dict[str, dict[str, float]]
    note: str = ''


def rank_methods(means: Mapping[str, Sequence[float]]) -> Ranks:
    """Rank methods on every data set, and test whether they differ: Friedman, then Nemenyi.

    Args:
        means (Mapping[str, Sequence[float]]): By method, one figure per data set, in the same order; more is better.
    """
    from scipy.stats import friedmanchisquare, rankdata

    names, blocks = sorted(means), len(next(iter(means.values()), ()))
    if blocks < 2 or len(names) < 3:
        note = f"Friedman's test needs three methods on two data sets, all complete; here are {len(names)} on {blocks}"
        return Ranks({}, None, {}, note)
    table = np.round(np.array([means[name] for name in names], dtype=np.float64).T, DIGITS)  # (data, methods)
    mean_ranks = rankdata(-table, axis=1).mean(0)
    ranks = {name: float(rank) for rank, name in sorted(zip(mean_ranks, names))}
    if not np.ptp(table, axis=1).any():
        return Ranks(ranks, None, {}, 'all methods are equal on every data set')
    p = float(friedmanchisquare(*table.T).pvalue)
    matrix = require('scikit_posthocs').posthoc_nemenyi_friedman(table)
    matrix.index = matrix.columns = names
    nemenyi = {one: {other: float(matrix.at[one, other]) for other in ranks} for one in ranks}
    return Ranks(ranks, p, nemenyi)


@dataclass(frozen=True)
class Variance:
    """Standard deviations, in points, of what makes figures differ; see :func:`variance_parts`."""

    subjects: float | None
    folds: float | None
    seeds: float | None
    residual: float | None
    note: str = ''


def variance_parts(
    values: Sequence[float], methods: Sequence[str], subjects: Sequence[str], folds: Sequence[Any], seeds: Sequence[Any]
) -> Variance:
    """Fit a mixed model: the method is a fixed effect; folds, subjects in them and trainings in them are random.

    A training is one method in one fold with one seed. What cannot be told apart is left out, and ``note`` says so.

    Args:
        values (Sequence[float]): Figure of one subject in one run, in points.
        methods (Sequence[str]): Method of every value.
        subjects (Sequence[str]): Subject of every value.
        folds (Sequence[Any]): Fold of every value.
        seeds (Sequence[Any]): Seed of every value.
    """
    pandas = require('pandas')
    frame = pandas.DataFrame({'value': np.round(values, DIGITS), 'method': list(methods), 'subject': list(map(str, subjects))})
    frame['fold'] = [str(fold) for fold in folds]
    frame['training'] = [f'{method} {fold} {seed}' for method, fold, seed in zip(methods, folds, seeds)]
    several = {name: frame[name].nunique() > 1 for name in ('subject', 'fold')}
    if not several['subject']:
        return Variance(None, None, None, None, 'one subject: no variance between subjects')
    if not np.ptp(frame.groupby('method')['value'].transform(lambda own: own - own.mean())):
        return Variance(0.0, 0.0, 0.0, 0.0, 'a method has the same figure for every subject and seed')
    notes = []
    trainings = frame.groupby(['method', 'fold'])['training'].nunique().max() > 1
    crossed = frame.groupby('subject')['fold'].nunique().max() > 1
    alone = not crossed and frame.groupby('fold')['subject'].nunique().max() == 1
    if alone:
        notes.append('every fold tests one subject: folds are subjects, and seeds are in the residual')
    elif not several['fold']:
        notes.append('one fold')
    if not trainings:
        notes.append('one seed')
    if len(frame) == frame.groupby(['method', 'subject', 'fold']).ngroups == frame['subject'].nunique():
        return Variance(None, None, None, None, 'one value for each subject: nothing to compare the subjects with')
    kinds = {'subject': not alone, 'fold': crossed, 'training': trainings and not alone}
    parts = {name: f'0 + C({name})' for name, wanted in kinds.items() if wanted}
    group = 'subject' if alone else 'fold' if several['fold'] and not crossed else None
    return _fit(frame, parts, group, notes)


def _fit(frame, parts: dict[str, str], group: str | None, notes: list[str]) -> Variance:
    """Fit the model, with one of the parts as independent groups where the others lie within that part, which is faster."""
    formula = 'value ~ C(method)' if frame['method'].nunique() > 1 else 'value ~ 1'
    mixedlm = require('statsmodels.formula.api').mixedlm  # imported first, since it sets filters of warnings
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # a part of no variance lies at the edge of what is possible
            model = mixedlm(
                formula,
                frame,
                groups=frame[group] if group else np.ones(len(frame)),
                vc_formula=parts or None,
                re_formula='1' if group else '0',
            )
            fit = model.fit(method=['lbfgs', 'powell'])
    except (np.linalg.LinAlgError, ValueError) as error:
        return Variance(None, None, None, None, f'the mixed model cannot be fitted: {error}')
    if not fit.converged:
        notes.append('the fit has not converged')
    variances = dict(zip(model.exog_vc.names, fit.vcomp)) if parts else {}
    if group:
        variances[group] = fit.cov_re.iloc[0, 0]
    deviations = {name: float(np.sqrt(max(0.0, value))) for name, value in variances.items()}
    return Variance(
        subjects=deviations.get('subject'),
        folds=deviations.get('fold'),
        seeds=deviations.get('training'),
        residual=float(np.sqrt(fit.scale)),
        note='; '.join(notes),
    )
