"""The table of a result says whose windows were tested, and which classes had none."""

from mmkd_plugin.apis import format_table

METRICS = {'accuracy': 1.0, 'macro_f1': 1.0}
ROW = dict(name='student', role='student', params=1234, checkpoint='a.pth', test=dict(best=METRICS, last=METRICS))
RESULT = dict(networks=[ROW], classes=3, n_test=18)


def test_subjects_are_unseen_where_they_are_known():
    known, unknown = (format_table({**RESULT, 'unseen_subjects': each}).splitlines()[0] for each in (True, False))
    assert known == 'test on 18 windows of unseen subjects, 3 classes (chance 33.3 %)'
    assert unknown == 'test on 18 windows, 3 classes (chance 33.3 %)'


def test_classes_without_a_test_window_are_named():
    assert format_table({**RESULT, 'absent': ['run']}).splitlines()[1] == 'without a test window, and left out of macro-F1: run'
    assert 'without a test window' not in format_table({**RESULT, 'absent': []})
