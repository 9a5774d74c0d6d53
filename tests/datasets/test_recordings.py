"""Recordings of a reader of one's own: what is taken, and what is refused with the name of the recording and of the file."""

import numpy as np
import pytest

from mmkd_plugin.datasets import Part, Reader, Recording

SIGNAL = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)


class Own(Reader):
    channels, classes, rate = ('x', 'y'), ('rest', 'walk'), 50.0

    def __init__(self, root, recording):
        super().__init__(root)
        self.recording = recording

    def parts(self):
        return ['a.bin']

    def files(self):
        return []

    def read(self, part):
        return Part((self.recording,))


def test_numbers_of_subjects_are_texts_and_sequences_are_arrays():
    recording = Recording(SIGNAL.tolist(), np.int64(1), 7, 'r')
    assert (recording.subject, recording.label, type(recording.label)) == ('7', 1, int)
    np.testing.assert_array_equal(recording.signal, SIGNAL)
    assert Recording(SIGNAL, np.array(1), 'ann', 'r').label == 1
    np.testing.assert_array_equal(Recording(SIGNAL, [1] * 30, 'ann', 'r').label, np.ones(30))


@pytest.mark.parametrize(
    ('label', 'given'),
    [('walk', "'walk'"), (['walk'] * 30, "'walk'"), (0.5, '0.5'), (np.full(30, 1.0), '1.0'), (True, 'True'), (None, 'None')],
)
def test_a_label_that_is_no_index_is_refused(label, given):
    message = f"recording 'r' has the label {given}: a label is a whole number, the index of a class; classes.index"
    with pytest.raises(ValueError, match=message):
        Recording(SIGNAL, label, 'ann', 'r')


@pytest.mark.parametrize('subject', [None, float('nan'), '', 'NaN'])
def test_nobody_is_no_subject(subject):
    with pytest.raises(ValueError, match=r"recording 'r' has the subject '\w*': expected who was recorded"):
        Recording(SIGNAL, 0, subject, 'r')
    assert Recording(SIGNAL, 0, b'ann', 'r').subject == 'ann'


@pytest.mark.parametrize(
    ('signal', 'message'),
    [
        (SIGNAL.astype(np.complex64), 'the signal has the type complex64, expected numbers'),
        (SIGNAL.astype(str), r'the signal has the type <U\d+, expected numbers'),
        ([[1, 2], [3]], 'the rows of the signal have different lengths'),
    ],
)
def test_a_signal_that_holds_no_numbers_is_refused(signal, message):
    with pytest.raises(ValueError, match=f"recording 'r': {message}"):
        Recording(signal, 0, 'ann', 'r')


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_names_the_file(value, tmp_path):
    signal = SIGNAL.copy()
    signal[3, 1] = value
    recording = Recording(signal, 0, 'ann', 'r')
    sentence = rf"recording 'r', channel 'y' has {value} at sample 3; fill or cut gaps before windows are made"
    with pytest.raises(ValueError, match=rf'^{tmp_path}, part a\.bin: {sentence}'):
        Own(tmp_path, recording).read_all()
    (tmp_path / 'a.bin').write_bytes(b'')
    with pytest.raises(ValueError, match=rf'^{tmp_path}/a\.bin: {sentence}'):
        Own(tmp_path, recording).read_checked('a.bin')
    with pytest.raises(ValueError, match=rf'^{tmp_path}/a\.bin: {sentence}'):
        Own(tmp_path / 'a.bin', recording).read_checked('all')
