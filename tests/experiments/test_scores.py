import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss

from mmkd_plugin.experiments.scores import complementarity, expected_calibration_error, pooled_macro_f1, score

CLASSES = ['a', 'b', 'c']


def test_figures_by_hand():
    """Two subjects, three classes of which c is absent; one window of each subject is wrong, one of them predicted as c."""
    logits = np.array([[9, 0, 0], [0, 9, 0], [0, 0, 9], [0, 9, 0], [0, 9, 0]], dtype=np.float32)
    figures = score(logits, np.array([0, 0, 1, 1, 1]), np.array(['1', '1', '1', '2', '2']), CLASSES)
    assert (figures['n'], figures['correct'], figures['accuracy'], figures['absent']) == (5, 3, 0.6, ['c'])
    assert figures['confusion'] == [[1, 1, 0], [0, 2, 1], [0, 0, 0]]
    # a: precision 1, recall 1/2, F1 2/3; b: precision 2/3, recall 2/3, F1 2/3; c does not count
    assert figures['macro_f1'] == pytest.approx(2 / 3)
    assert figures['balanced_accuracy'] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert [(row['class'], row['n'], row['correct'], row['recall']) for row in figures['classes']] == [
        ('a', 2, 1, 0.5),
        ('b', 3, 2, pytest.approx(2 / 3)),
        ('c', 0, 0, None),
    ]
    first, second = figures['subjects']
    assert (first['subject'], first['n'], first['correct'], first['absent']) == ('1', 3, 1, ['c'])
    assert first['macro_f1'] == pytest.approx((2 / 3 + 0) / 2)
    assert second == {'subject': '2', 'n': 2, 'correct': 2, 'accuracy': 1.0, 'macro_f1': 1.0, 'absent': ['a', 'c']}


def test_figures_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 3, 200), rng.normal(size=(200, 3)).astype(np.float32)
    figures = score(logits, labels, np.repeat('1', 200), CLASSES)
    p = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(1, keepdims=True)
    assert figures['nll'] == pytest.approx(log_loss(labels, p))
    assert figures['macro_f1'] == pytest.approx(f1_score(labels, logits.argmax(1), average='macro'))
    assert figures['balanced_accuracy'] == pytest.approx(balanced_accuracy_score(labels, logits.argmax(1)))
    assert pooled_macro_f1(np.array(figures['confusion'])) == pytest.approx(figures['macro_f1'])


def test_the_area_of_two_classes_is_that_of_the_order_of_windows():
    """Of subject 1 three pairs of four are in order, of all windows five pairs of six; subject 2 has one class alone."""
    logits = np.array([[0, 1], [0, 3], [0, 2], [0, 4], [0, -1]], dtype=np.float32)
    figures = score(logits, np.array([0, 0, 1, 1, 0]), np.array(['1', '1', '1', '1', '2']), ['walk', 'fall'])
    assert figures['auroc'] == pytest.approx(5 / 6)
    assert [row.get('auroc') for row in figures['subjects']] == [pytest.approx(3 / 4), None]


def test_calibration_error_by_hand():
    """Bins of 1/15: 0.95 and 0.99 share the last one (mean 0.97, half right), 0.5 is alone and wrong."""
    confidence, correct = np.array([0.95, 0.99, 0.5]), np.array([True, False, False])
    assert expected_calibration_error(confidence, correct) == pytest.approx((2 * abs(0.5 - 0.97) + 0.5) / 3)
    assert expected_calibration_error(np.ones(4), np.ones(4, dtype=bool)) == 0


def test_anomalies_and_windows_without_a_response_do_not_count():
    logits = np.array([[9, 0, 0], [9, 0, 0], [np.nan] * 3], dtype=np.float32)
    figures = score(logits, np.array([0, -1, 1]), np.array(['1', '1', '1']), CLASSES)
    assert (figures['n'], figures['correct']) == (1, 1)
    assert score(logits, np.array([-1, -1, 1]), np.array(['1', '1', '1']), CLASSES) is None
    with pytest.raises(ValueError, match=r'logits must be \(n, 2\), one column for each class, got \(3, 3\)'):
        score(logits, np.array([0, 1, 1]), np.array(['1', '1', '1']), ['a', 'b'])


def test_complementarity_by_hand():
    eye = np.eye(2, dtype=np.float32)
    logits = {'sig': eye[[0, 0, 1, 1]], 'gaf': eye[[0, 1, 1, 0]]}
    (one, two) = complementarity(logits, np.array([0, 1, 0, -1]), np.array(['1', '1', '2', '2']))
    assert one == {'subject': '1', 'n': 2, 'agree': 1, 'oracle': 2, 'correct': {'sig': 1, 'gaf': 2}}
    assert two == {'subject': '2', 'n': 1, 'agree': 1, 'oracle': 0, 'correct': {'sig': 0, 'gaf': 0}}
    assert complementarity({'sig': logits['sig']}, np.zeros(4, int), np.repeat('1', 4)) == []
