"""Files of outputs that were computed elsewhere."""

import numpy as np
import pytest

from mmkd_plugin.fileio import read_outputs

LOGITS = np.arange(6, dtype=np.float32).reshape(3, 2)
BY_ID = dict(logits=LOGITS, window_ids=['a:0', 'a:50', 'b:0'])
BY_TIME = dict(logits=LOGITS, recordings=['b', 'a', 'a'], times=[0.5, 1.4, 0.6])


def write(folder, **arrays):
    np.savez(folder / 'outputs.npz', **arrays)
    return folder / 'outputs.npz'


def test_a_window_has_the_row_of_its_id(tmp_path):
    outputs = read_outputs(write(tmp_path, **BY_ID, embedding=np.ones((3, 4)), **{'stages.2': np.ones((3, 5, 7))}))
    assert outputs.shapes == {'embedding': (4,), 'logits': (2,), 'stages.2': (5, 7)}
    assert outputs.values.shape == (3, 4 + 2 + 35)
    assert outputs.values.dtype == np.float32
    assert outputs.rows('a:50', 50).tolist() == [1]
    assert outputs.missing(['b:0', 'c:0', 'a:25'], 50) == ['c:0', 'a:25']


def test_a_window_has_the_instants_between_half_a_sample_before_and_after(tmp_path):
    """At 50 Hz the samples 30 to 69 last from 0.59 s to 1.39 s; the instants of one recording may come in any order."""
    outputs = read_outputs(write(tmp_path, **BY_TIME))
    assert outputs.rows('a:30', 40, rate=50.0).tolist() == [2]
    assert outputs.rows('a:30', 41, rate=50.0).tolist() == [2, 1]
    assert outputs.rows('a:31', 39, rate=50.0).tolist() == []
    assert outputs.rows('b:0', 26, rate=50.0).tolist() == [0]
    assert outputs.missing(['b:0', 'c:0', 'a:70'], 40, rate=50.0) == ['c:0']
    with pytest.raises(ValueError, match='has outputs by time, and rate=, samples per second of the recordings, is not given'):
        outputs.rows('b:0', 26)


def test_windows_side_by_side_share_no_instant_and_leave_none_out(tmp_path):
    times = np.arange(1000) * 0.02  # as somebody counts in seconds, with other roundings than start / rate
    outputs = read_outputs(write(tmp_path, logits=np.zeros((1000, 2)), recordings=['a'] * 1000, times=times))
    rows = [outputs.rows(f'a:{start}', 10, rate=50.0).tolist() for start in range(0, 1000, 10)]
    assert rows == np.arange(1000).reshape(100, 10).tolist()


@pytest.mark.parametrize(
    ('arrays', 'message'),
    [
        (dict(BY_ID, logit=LOGITS), "there is no place for an array 'logit'; did you mean 'logits'"),
        (dict(BY_ID, cam=LOGITS), "there is no place for an array 'cam'; a file of outputs has logits, embedding, stages.0"),
        (dict(window_ids=['a:0']), 'logits missing'),
        (dict(logits=LOGITS), 'expected window_ids, or recordings and times; got none of them'),
        (dict(BY_ID, times=[0.0, 1.0, 2.0]), 'expected window_ids, or recordings and times; got window_ids, times'),
        (dict(logits=LOGITS, times=[0.0, 1.0, 2.0]), 'expected window_ids, or recordings and times; got times'),
        (dict(BY_ID, window_ids=[1, 2, 3]), 'window_ids is int64 of shape (3,), expected texts, (n, )'),
        (dict(BY_TIME, times=['0', '1', '2']), 'times is <U1 of shape (3,), expected seconds, (n, )'),
        (dict(BY_TIME, times=[0.0, np.nan, 1.0]), 'times is NaN or infinite in row 1'),
        (dict(BY_TIME, times=[0.0]), 'times has 1 entries, expected 3 as recordings'),
        (dict(BY_ID, window_ids=['a:0', 'b:0']), 'logits has 3 rows, expected one for each of 2 windows or instants'),
        (dict(BY_ID, window_ids=['a:0', 'b:0', 'a:0']), 'window_ids has a:0 twice'),
        (dict(BY_ID, logits=LOGITS.astype(int)), 'logits is int64 of shape (3, 2), expected floating-point numbers (n, K)'),
        (dict(BY_ID, logits=LOGITS[:, 0]), 'logits is float32 of shape (3,), expected floating-point numbers (n, K)'),
        (dict(BY_ID, embedding=np.ones((3, 1, 2))), 'embedding is float64 of shape (3, 1, 2), expected floating-point numbers'),
        (
            dict(BY_ID, logits=np.where(LOGITS == 5, np.inf, LOGITS)),
            'logits is NaN, infinite or beyond float32 in 1 row(s), first in 2',
        ),
        (dict(BY_ID, embedding=np.full((3, 1), 1e39)), 'embedding is NaN, infinite or beyond float32 in 3 row(s), first in 0'),
        (dict(BY_ID, classes=['x']), 'classes has 1 names, and logits are of 2 classes'),
        (dict(BY_ID, logits=LOGITS[:0], window_ids=np.empty(0, dtype='U1')), 'logits has 0 rows, expected one for each of 0'),
        (dict(BY_ID, classes=np.array([{}, {}], dtype=object)), 'classes holds Python objects, which can run code'),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path, arrays, message):
    path = write(tmp_path, **arrays)
    with pytest.raises(ValueError, match=f'^{path}: ') as error:
        read_outputs(path)
    assert message in str(error.value)


def test_a_file_that_is_not_there_or_no_archive_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no file of outputs'):
        read_outputs(tmp_path / 'none.npz')
    (tmp_path / 'text.npz').write_text('logits')
    with pytest.raises(ValueError, match='text.npz: cannot be read'):
        read_outputs(tmp_path / 'text.npz')


def test_a_file_is_read_again_once_it_has_changed(tmp_path):
    before = read_outputs(write(tmp_path, **BY_ID))
    assert read_outputs(tmp_path / 'outputs.npz') is before
    after = read_outputs(write(tmp_path, **{**BY_ID, 'logits': LOGITS + 1}))
    assert (after.values == before.values + 1).all()
    assert after.sha256 != before.sha256
