"""The table of a result says whose windows were tested, and which classes had none."""

import numpy as np
import pytest

from mmkd_plugin.apis import format_table, read_predictions
from mmkd_plugin.apis.results import result_faults
from mmkd_plugin.fileio import write_result

METRICS = {'accuracy': 1.0, 'macro_f1': 1.0}
ROW = dict(name='student', role='student', params=1234, checkpoint='a.pth', test=dict(best=METRICS, last=METRICS))
RESULT = dict(networks=[ROW], classes=3, n_test=18)


def test_subjects_are_unseen_where_they_are_known():
    known, unknown = (format_table({**RESULT, 'unseen_subjects': each}).splitlines()[0] for each in (True, False))
    assert known == 'test on 18 windows of unseen subjects, 3 classes (chance 33.3 %)'
    assert unknown == 'test on 18 windows, 3 classes (chance 33.3 %)'


@pytest.mark.parametrize(
    ('content', 'fault'),
    [
        ({'networks': []}, ': the result has no student; its networks are'),
        ({'networks': [{'name': 'a', 'role': 'pupil'}]}, ': the result has no student; its networks are pupil a'),
        ({'networks': [ROW], 'files': 0.5}, ' has no val, sha256 of student'),
        ({'networks': [{**ROW, 'val': METRICS, 'sha256': 'a'}], 'files': 0.5}, ' has no hashes of student_best.pth, '),
    ],
)
def test_faults_of_a_result_name_the_file(content, fault, tmp_path):
    write_result(content, tmp_path)
    (sentence,) = result_faults(tmp_path)
    assert sentence.startswith(f'{tmp_path}/result.json{fault}')


def test_classes_without_a_test_window_are_named():
    assert format_table({**RESULT, 'absent': ['run']}).splitlines()[1] == 'without a test window, and left out of macro-F1: run'
    assert 'without a test window' not in format_table({**RESULT, 'absent': []})


def test_predictions_that_unpack_to_far_more_than_their_size_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr('mmkd_plugin.fileio.arrays.ROOM', 10_000)  # 256 MiB otherwise
    np.savez_compressed(tmp_path / 'predictions.npz', labels=np.zeros(1_000_000))
    with pytest.raises(ValueError, match=r'predictions\.npz is damaged: .*8,000,[0-9]+ bytes, unpacked from'):
        read_predictions(tmp_path)
