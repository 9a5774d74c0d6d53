"""Measures of several classifiers by hand and beside their peers, and rankings of tiny arrays."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats.contingency import odds_ratio
from sklearn.metrics import f1_score, log_loss

from mmkd_plugin.experiments.ensembles import (
    brier_score,
    class_changes,
    double_fault,
    mean_response,
    only_right,
    q_statistic,
    right_windows,
)
from mmkd_plugin.experiments.ranking import ENSEMBLE, STUDENT, Size, rank_classifiers
from mmkd_plugin.experiments.ranking_tables import ranking_tables
from mmkd_plugin.experiments.report import to_text

SIZES = {'sig': Size('sig', 900, 9_000), 'gaf': Size('gaf', 100, 1_000), STUDENT: Size('sig', 10, 100)}
NONE = [np.nan, np.nan]


def flags(text):
    return np.array([letter == '1' for letter in text])


def respond(labels, right):
    """Logits of two classes that are right where a text has a 1."""
    return 2.0 * np.eye(2, dtype=np.float32)[np.where(flags(right), labels, 1 - labels)]


def test_the_ensemble_is_the_mean_of_the_probabilities_of_those_that_respond():
    one, other = np.log([[0.8, 0.2], [0.3, 0.7], NONE]), np.log([[0.4, 0.6], NONE, NONE])
    mean = np.exp(mean_response(np.stack([one, other])))
    assert mean[:2] == pytest.approx(np.array([[0.6, 0.4], [0.3, 0.7]]))
    assert np.isnan(mean[2]).all()


def test_a_window_without_a_response_is_not_right():
    logits = np.array([[[2, 1], NONE, [0, 1]], [[1, 2], [2, 1], [0, 1]]])
    right = right_windows(logits, np.array([0, 0, 1]))
    assert right.tolist() == [[True, False, True], [False, True, True]]
    assert only_right(right).tolist() == [[True, False, False], [False, True, False]]


def test_q_by_hand():
    one, other = flags('11100'), flags('11010')  # both right 2, neither 1, one alone each
    assert q_statistic(one, other) == pytest.approx((2 * 1 - 1 * 1) / (2 * 1 + 1 * 1))
    assert double_fault(one, other) == pytest.approx(1 / 5)
    assert q_statistic(flags('0110'), flags('0110')) == 1
    assert q_statistic(flags('0110'), flags('1001')) == -1
    assert q_statistic(flags('0011'), flags('0101')) == 0
    assert q_statistic(flags('1111'), flags('0101')) is None


def test_q_follows_from_the_odds_ratio():
    one, other = np.random.default_rng(0).random((2, 300)) < np.array([[0.7], [0.6]])
    table = [[int((one == a)[other == b].sum()) for b in (True, False)] for a in (True, False)]
    ratio = odds_ratio(table, kind='sample').statistic
    assert q_statistic(one, other) == pytest.approx((ratio - 1) / (ratio + 1))


def test_brier_score_by_hand():
    certain = np.array([[50.0, 0.0, 0.0]])
    assert brier_score(certain, np.array([0])) == pytest.approx(0)
    assert brier_score(certain, np.array([2])) == pytest.approx(2)
    assert brier_score(np.zeros((1, 3)), np.array([1])) == pytest.approx(2 / 9 + 4 / 9)


def test_changes_of_recall_by_class():
    labels = np.array([0, 0, 1, 1])
    changes = class_changes(flags('1101'), flags('1011'), labels, ['walk', 'run', 'jump'])
    assert changes == {'walk': 50.0, 'run': -50.0}  # of two windows each; jump has none


@pytest.fixture
def ranking():
    """Three subjects of four windows; gaf knows what sig does not."""
    labels, subjects = np.tile([0, 1], 6), np.repeat(['a', 'b', 'c'], 4)
    teachers = {'sig': respond(labels, '111111110000'), 'gaf': 1.5 * respond(labels, '000000001111')}
    student = respond(labels, '111111000000')
    return rank_classifiers(teachers, student, labels, subjects, ['walk', 'run'], SIZES), labels, teachers, student


def test_a_ranking_by_hand(ranking):
    ranking, labels, teachers, _ = ranking
    assert [each.name for each in ranking.standings] == ['sig', STUDENT, ENSEMBLE, 'gaf']
    sig, student, ensemble, gaf = ranking.standings
    # The surer teacher, gaf, decides wherever they differ, which is everywhere; of the two, the ensemble has the lower NLL.
    assert [each.accuracy for each in ranking.standings] == pytest.approx([8 / 12, 6 / 12, 4 / 12, 4 / 12])
    assert ensemble.size == Size('sig+gaf', 1_000, 10_000)
    p = (softmax(teachers['sig'], 1) + softmax(teachers['gaf'], 1)) / 2
    assert ensemble.nll == pytest.approx(log_loss(labels, p))
    assert ensemble.macro_f1 == pytest.approx(f1_score(labels, p.argmax(1), average='macro'))
    assert gaf.brier == pytest.approx(np.mean((softmax(teachers['gaf'], 1) - np.eye(2)[labels]) ** 2) * 2)
    # Differences of the subjects: 0, 50 and 0 points for sig, −100, −50 and 100 for gaf.
    assert (sig.difference.mean, sig.difference.n, sig.verdict) == (pytest.approx(50 / 3), 3, 'undecided')
    assert gaf.difference.mean == pytest.approx(-50 / 3)
    assert (student.student, student.difference.mean) == (0.5, 0)
    assert (ranking.oracle, ranking.n, ranking.subjects, ranking.unit) == (1, 12, 3, 'subject')


def test_what_each_teacher_knows_by_hand(ranking):
    sig, gaf = ranking[0].knowledge
    assert (sig.only, sig.beyond, sig.behind) == pytest.approx((8 / 12, 2 / 12, 0))
    assert (gaf.only, gaf.beyond, gaf.behind) == pytest.approx((4 / 12, 4 / 12, 6 / 12))
    assert (sig.without, sig.adds) == pytest.approx((4 / 12, 0))
    assert (gaf.without, gaf.adds) == pytest.approx((8 / 12, -400 / 12))
    # Of six windows each, sig has one more right than the student; gaf has one less.
    assert (sig.gain, sig.loss) == (('walk', pytest.approx(100 / 6)), None)
    assert (gaf.gain, gaf.loss) == (None, ('walk', pytest.approx(-100 / 6)))


def test_every_two_by_hand(ranking):
    pairs = {pair.names: pair for pair in ranking[0].pairs}
    assert list(pairs) == [('sig', 'gaf'), ('sig', STUDENT), ('gaf', STUDENT)]
    teachers, sig, gaf = pairs.values()
    assert (teachers.n, teachers.agreement, teachers.q, teachers.double_fault) == (12, 0, -1, 0)
    assert (sig.agreement, sig.q, sig.double_fault) == pytest.approx((10 / 12, 1, 4 / 12))
    assert (gaf.agreement, gaf.q, gaf.double_fault) == pytest.approx((2 / 12, -1, 2 / 12))


def test_each_teacher_counts_on_its_own_windows():
    labels, subjects = np.tile([0, 1], 4), np.repeat(['a', 'b'], 4)
    teachers = {'sig': respond(labels, '11001111'), 'gaf': respond(labels, '10101010')}
    teachers['sig'][4:] = np.nan
    teachers['gaf'][[0, 7]] = np.nan
    ranking = rank_classifiers(teachers, respond(labels, '11110000'), labels, subjects, ['walk', 'run'], SIZES)
    standings = {each.name: each for each in ranking.standings}
    assert {name: each.n for name, each in standings.items()} == {'sig': 4, 'gaf': 6, ENSEMBLE: 7, STUDENT: 8}
    assert (standings['sig'].accuracy, standings['sig'].student) == (0.5, 1.0)
    assert (standings['gaf'].accuracy, standings['gaf'].student) == (0.5, 0.5)
    assert ranking.oracle == pytest.approx(5 / 7)
    sig, gaf = ranking.knowledge
    assert (sig.only, gaf.only) == pytest.approx((2 / 4, 3 / 6))
    assert sig.without == gaf.without == 0.5  # on six windows of gaf alone, on four of sig alone
    assert [pair.n for pair in ranking.pairs] == [3, 4, 6]
    (warning,) = ranking.warnings
    assert warning == (
        "teacher 'sig' is below the student trained alone on validation: 50.00 % against 100.00 % of 4 windows of 1 subject; the "
        'difference cannot be told from none (one subject: no interval and no test)'
    )


def test_teachers_that_share_no_window_are_a_pair_of_dashes():
    labels = np.array([0, 1])
    teachers = {'sig': respond(labels, '11'), 'gaf': respond(labels, '11')}
    teachers['sig'][0], teachers['gaf'][1] = np.nan, np.nan
    ranking = rank_classifiers(teachers, respond(labels, '11'), labels, np.array(['a', 'b']), ['walk', 'run'], SIZES)
    pair = ranking.pairs[0]
    assert (pair.n, pair.agreement, pair.q, pair.double_fault) == (0, None, None, None)
    assert 'sig and gaf' in to_text(ranking_tables(ranking)[2])


def test_warnings_say_what_can_be_told():
    labels, subjects = np.tile([0, 1], 40), np.repeat([f's{n}' for n in range(8)], 10)
    student = respond(labels, '1111111110' * 8)
    texts = {
        'below': ''.join('1' * right + '0' * (10 - right) for right in (5, 6, 7, 5, 6, 7, 5, 6)),
        'undecided': ''.join('1' * right + '0' * (10 - right) for right in (9, 9, 9, 9, 9, 9, 9, 7)),
    }
    sizes = {**SIZES, 'below': SIZES['sig'], 'undecided': SIZES['sig']}
    teachers = {name: respond(labels, text) for name, text in texts.items()}
    ranking = rank_classifiers(teachers, student, labels, subjects, ['walk', 'run'], sizes, 'recording')
    verdicts = {each.name: each.verdict for each in ranking.standings}
    assert (verdicts['below'], verdicts['undecided']) == ('below', 'undecided')
    sentences = {name: next(text for text in ranking.warnings if f"'{name}'" in text) for name in texts}
    assert sentences['below'].startswith(
        "teacher 'below' is below the student trained alone on validation: 58.75 % against 90.00 % of 80 windows of 8 recordings; "
        'over recordings the difference is −31.2 points, interval −3'
    )
    assert sentences['undecided'].endswith(' to 0.0, which cannot be told from none')
    assert any(text.startswith('the ensemble of all teachers is below the student trained alone') for text in ranking.warnings)


def test_one_teacher_has_no_ensemble_and_no_others():
    labels, subjects = np.array([0, 1, 0, 1]), np.array(['a', 'a', 'b', 'b'])
    arrays = respond(labels, '1110'), labels, subjects, ['walk', 'run'], SIZES
    ranking = rank_classifiers({'sig': respond(labels, '1111')}, *arrays)
    assert [each.name for each in ranking.standings] == ['sig', STUDENT]
    (sig,) = ranking.knowledge
    assert (sig.only, sig.without, sig.adds, sig.gain) == (None, None, None, ('run', 50.0))
    texts = [to_text(table) for table in ranking_tables(ranking)]
    assert texts[0].startswith('Best first, on 4 validation windows of 2 subjects\n')
    assert texts[0].endswith('two subjects: no interval and no test')
    assert 'run +50.0' in texts[1]
    with pytest.raises(ValueError, match='there is no teacher to rank'):
        rank_classifiers({}, *arrays)
    with pytest.raises(ValueError, match='no window has a response of sig'):
        rank_classifiers({'sig': np.full((4, 2), np.nan)}, *arrays)
