"""Rules of statistics: values by hand, or those of scipy and statsmodels called directly."""

import sys
import warnings

import numpy as np
import pytest
from scipy import stats

from mmkd_plugin.experiments.statistics import (
    Difference,
    correct_holm,
    judge,
    paired_difference,
    rank_methods,
    require,
    variance_parts,
)

SOME = [1.0, 2.0, 3.0, 4.0, -1.0, 2.5, 3.5, 0.0]


@pytest.fixture(autouse=True)
def no_warning_reaches_the_user():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


def test_a_paired_difference_is_scipy_s():
    d = paired_difference(SOME)
    interval = stats.bootstrap(
        (np.array(SOME),), np.mean, method='BCa', random_state=np.random.default_rng(0)
    ).confidence_interval
    assert (d.n, d.mean, d.gained, d.lost, d.note) == (8, 1.875, 6, 1, '')
    assert (d.low, d.high) == tuple(interval)
    assert d.p == stats.wilcoxon(SOME).pvalue


def test_wilcoxon_by_hand():
    """All six differences have one sign: of the 64 ways to give signs, two are as far out."""
    assert paired_difference([1, 2, 3, 4, 5, 6]).p == pytest.approx(2 / 64)


@pytest.mark.parametrize(
    ('values', 'mean', 'low', 'high', 'p', 'note'),
    [
        ([], None, None, None, None, 'no subject is in both'),
        ([1.5], 1.5, None, None, None, 'one subject: no interval and no test'),
        ([1, 2], 1.5, None, None, None, 'two subjects: no interval and no test'),
        ([0, 0, 0], 0, 0, 0, 1, 'no subject differs'),
        ([0.1 + 0.2 - 0.3, 0, 0], 0, 0, 0, 1, 'no subject differs'),  # 5.6e-17
        ([2] * 6, 2, 2, 2, 2 / 64, 'all differences are equal'),
        ([2] * 4, 2, 2, 2, 2 / 16, 'all differences are equal; few subjects differ (4): p cannot be below 0.125'),
        ([0, 0, 3], 1, 0, 3, 1, 'few subjects differ (1): p cannot be below 1'),
    ],
)
def test_degenerate_differences_have_a_sentence(values, mean, low, high, p, note):
    d = paired_difference(values)
    assert (d.mean, d.low, d.high, d.p, d.note) == (mean, low, high, pytest.approx(p) if p else p, note)


def test_ties_have_an_interval():
    d = paired_difference([5, 5, 5, 5, 0, 0, -5])
    assert d.low < d.mean < d.high
    assert 0 < d.p < 1


def test_the_same_differences_have_the_same_interval():
    assert paired_difference(SOME) == paired_difference(SOME)


def test_holm_by_hand():
    """Sorted: 0.01·3, 0.03·2, 0.04·1 and never below the one before."""
    assert correct_holm([0.01, None, 0.04, 0.03]) == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06)]
    assert correct_holm([None]) == [None]
    assert correct_holm([]) == []


@pytest.mark.parametrize(
    ('low', 'high', 'p', 'verdict'),
    [
        (0.4, 3.1, 0.01, 'above'),
        (-3.1, -0.4, 0.01, 'below'),
        (0.4, 3.1, 0.2, 'undecided'),  # Holm
        (-0.4, 3.1, 0.01, 'undecided'),
        (-0.4, 0.9, 0.6, 'equivalent'),
        (0.2, 0.9, 0.01, 'equivalent'),  # there, but too small to matter
        (0.2, 1.1, 0.01, 'above'),
        (0.0, 0.0, 1.0, 'equivalent'),
        (None, None, None, 'undecided'),
    ],
)
def test_what_can_be_said(low, high, p, verdict):
    assert judge(Difference(9, 1.0, low, high, p, 5, 4), p) == verdict


def test_the_region_of_equivalence_is_a_choice():
    d = Difference(9, 0.3, -0.4, 0.9, 0.6, 5, 4)
    assert judge(d, 0.6, equivalence=0.5) == 'undecided'
    assert judge(d, 0.6, equivalence=0.9) == 'equivalent'


def test_ranks_and_friedman_by_hand():
    """Ranks 2, 1, 3 on each of four data sets: 12·4/(3·4)·Σ(rank − 2)² = 8, chi-square of 2 degrees of freedom."""
    ranks = rank_methods({'a': [1, 2, 3, 4], 'b': [2, 3, 4, 5], 'c': [0, 1, 1, 2]})
    assert ranks.ranks == {'b': 1, 'a': 2, 'c': 3}
    assert list(ranks.ranks) == ['b', 'a', 'c']
    assert ranks.p == pytest.approx(np.exp(-4))
    # Nemenyi: difference of ranks over sqrt(k(k + 1) / (6 N)), the studentised range without degrees of freedom
    q = 2 / np.sqrt(3 * 4 / (6 * 4)) * np.sqrt(2)
    assert ranks.nemenyi['b']['c'] == pytest.approx(stats.studentized_range.sf(q, 3, np.inf), rel=1e-3)
    assert ranks.nemenyi['c']['b'] == ranks.nemenyi['b']['c']


def test_ties_share_a_rank():
    assert rank_methods({'a': [1, 1], 'b': [1, 2], 'c': [0, 0]}).ranks == {'b': 1.25, 'a': 1.75, 'c': 3}


@pytest.mark.parametrize(
    ('means', 'note'),
    [
        ({}, "Friedman's test needs three methods on two data sets, all complete; here are 0 on 0"),
        ({'a': [1, 2], 'b': [1, 2]}, 'here are 2 on 2'),
        ({'a': [1], 'b': [1], 'c': [2]}, 'here are 3 on 1'),
        ({'a': [1, 2], 'b': [1, 2], 'c': [1, 2]}, 'all methods are equal on every data set'),
    ],
)
def test_without_ranks_there_is_a_sentence(means, note):
    ranks = rank_methods(means)
    assert (ranks.p, ranks.nemenyi) == (None, {})
    assert ranks.note.endswith(note)


def draw(folds, per_fold, seeds, sd_subject, sd_seed, sd_residual, methods=3):
    """Balanced values without a fold's effect: (value, method, subject, fold, seed)."""
    rng, rows = np.random.default_rng(1), []
    for fold in range(folds):
        training = rng.normal(0, sd_seed, (methods, seeds))
        for subject in range(per_fold):
            own = rng.normal(0, sd_subject)
            for method in range(methods):
                for seed in range(seeds):
                    value = 80 + method + own + training[method, seed] + rng.normal(0, sd_residual)
                    rows.append((value, f'm{method}', f'{fold}-{subject}', fold, seed))
    return [list(column) for column in zip(*rows)]


def test_variance_of_subjects_is_that_of_a_balanced_analysis():
    """One subject in a fold, one method: the mean squares between and within subjects give the parts (Searle 1971)."""
    values, *rest = draw(12, 1, 4, 5, 0, 1, methods=1)
    parts = variance_parts(values, *rest)
    table = np.array(values).reshape(12, 4)
    within = table.var(axis=1, ddof=1).mean()
    between = table.mean(1).var(ddof=1) - within / 4
    assert (parts.subjects, parts.residual) == (
        pytest.approx(np.sqrt(between), rel=1e-3),
        pytest.approx(np.sqrt(within), rel=1e-3),
    )
    assert (parts.folds, parts.seeds) == (None, None)
    assert parts.note == 'every fold tests one subject: folds are subjects, and seeds are in the residual'


def test_seeds_and_subjects_are_told_apart():
    parts = variance_parts(*draw(6, 5, 4, 6, 2, 0.5))
    assert parts.subjects == pytest.approx(6, rel=0.3)
    assert parts.seeds == pytest.approx(2, rel=0.3)
    assert parts.residual == pytest.approx(0.5, rel=0.1)
    assert parts.note == ''


def test_subjects_that_several_folds_test_are_one():
    values, methods, subjects, folds, seeds = draw(3, 4, 2, 6, 0.5, 0.5)
    again = [subject.split('-')[1] for subject in subjects]
    by_subject = dict(zip(sorted(set(again)), (-6, 6, -3, 3)))
    values = [80 + by_subject[subject] + fold + seed * 0.1 for subject, fold, seed in zip(again, folds, seeds)]
    values = list(np.array(values) + np.random.default_rng(0).normal(0, 0.3, len(values)))
    parts = variance_parts(values, methods, again, folds, seeds)
    assert parts.subjects == pytest.approx(np.std([-6, 6, -3, 3], ddof=1), rel=0.15)
    assert parts.folds == pytest.approx(1, rel=0.2)


@pytest.mark.parametrize(
    ('shape', 'note'),
    [
        ((1, 1, 3), 'one subject: no variance between subjects'),
        ((1, 8, 3), 'one fold'),
        ((1, 8, 1), 'one fold; one seed'),
        ((1, 8, 1, 1), 'one value for each subject: nothing to compare the subjects with'),
    ],
)
def test_parts_that_cannot_be_told_apart_have_a_sentence(shape, note):
    parts = variance_parts(*draw(*shape[:3], 5, 1, 1, *shape[3:]))
    assert parts.note == note


def test_figures_without_a_difference_have_no_variance():
    parts = variance_parts([80.0] * 8, ['a', 'b'] * 4, list('11223344'), [0] * 8, [0] * 8)
    assert (parts.subjects, parts.residual, parts.note) == (0, 0, 'a method has the same figure for every subject and seed')


@pytest.mark.parametrize(
    ('name', 'package'), [('statsmodels.stats.multitest', 'statsmodels'), ('scikit_posthocs', 'scikit-posthocs')]
)
def test_a_missing_package_is_named(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    sentence = rf"a report needs {package}, which is not installed. Run: pip install 'mmkd_plugin\[report\]'"
    with pytest.raises(ImportError, match=sentence):
        require(name)
