"""Pickles of (X, y) for each subject, by the command, as recordings that a config reads."""

import pickle

import numpy as np
import pytest
from helpers import call
from writers.python2 import dump

from mmkd_plugin.apis.imports import channels_of, import_recordings
from mmkd_plugin.datasets import PAMAP2, ArrayRecordings, WindowDataset
from mmkd_plugin.datasets.windows import cut_windows

RNG = np.random.default_rng(0)
# As in the pickle of the published comparisons: numbers and labels in double precision, labels per sample.
SUBJECTS = [
    (RNG.random((length, 3)), np.repeat([0.0, 2.0, 1.0 if length > 200 else 2.0], [20, length - 40, 20]))
    for length in (300, 250, 144)
]
SAME = dict(channels=['x', 'y', 'z'], classes=['jump', 'lie', 'sit'], rate=100 / 3)
WORDS = ['--channels', 'x', 'y', 'z', '--classes', 'jump', 'lie', 'sit', '--rate', '33.3333']


@pytest.mark.parametrize('protocol', [0, 2])
def test_a_pickle_of_python_2_becomes_recordings(protocol, tmp_path):
    (tmp_path / 'old.data').write_bytes(dump(SUBJECTS, protocol))
    done = call('import', 'recordings', 'old.data', 'new.npz', *WORDS, '--subjects', 101, 102, 109, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith('3 recording(s) of 3 subject(s), 694 samples: new.npz\n')
    assert "reader=dict(type='ArrayRecordings', root='new.npz')" in done.stdout
    result = ArrayRecordings(tmp_path / 'new.npz').read_all()
    assert (result.channels, result.classes, result.rate) == (('x', 'y', 'z'), ('jump', 'lie', 'sit'), 33.3333)
    assert [(r.name, r.subject) for r in result.recordings] == [(name, name) for name in ('101', '102', '109')]
    for recording, (signal, labels) in zip(result.recordings, SUBJECTS):
        np.testing.assert_array_equal(recording.signal, signal.astype(np.float32))
        np.testing.assert_array_equal(recording.label, labels)


def test_windows_are_those_of_the_published_code(tmp_path):
    """Its loop, written anew: windows of 100 from sample 22 on, every 22, the last possible start left out."""
    (tmp_path / 'old.data').write_bytes(dump(SUBJECTS))
    result = import_recordings(tmp_path / 'old.data', tmp_path / 'new.npz', trim=(22, 1), **SAME)
    assert [r.name for r in result.recordings] == ['0', '1', '2']
    windows, _ = cut_windows(result.recordings, range(3), 100, 22)
    published = []
    for signal, labels in SUBJECTS:
        for start in range(22, len(labels) - 100, 22):
            if labels[start] == labels[start + 99]:
                published.append((signal[start : start + 100].astype(np.float32), labels[start]))
    assert len(windows) == len(published) == 14
    assert windows.label.tolist() == [label for _, label in published]
    for index, (signal, _) in enumerate(published):
        np.testing.assert_array_equal(windows.signal(index), signal)


def test_windows_that_were_cut_already_are_a_recording_each(tmp_path):
    one = (RNG.random((5, 1, 8, 3)), np.array([[0], [1], [2], [1], [0]]))  # as x_train and y_train of the published code
    two = (RNG.random((4, 8, 3)).astype('>f4'), np.arange(4.0) % 3)
    three = (RNG.random((2, 8, 3)), np.array([2, 2]))
    pickle_file = tmp_path / 'windows.pkl'
    pickle_file.write_bytes(pickle.dumps({'ann': one, 'bob': two, 'eve': three}))
    import_recordings(pickle_file, tmp_path / 'new.npz', **SAME)
    result = ArrayRecordings(tmp_path / 'new.npz').read_all()
    assert [r.name for r in result.recordings[3:7]] == ['ann_00003', 'ann_00004', 'bob_00000', 'bob_00001']
    assert [r.label for r in result.recordings] == [0, 1, 2, 1, 0, 0, 1, 2, 0, 2, 2]
    np.testing.assert_array_equal(result.recordings[6].signal, two[0][1].astype(np.float32))
    reader = dict(type='mmkd_plugin.ArrayRecordings', root=str(tmp_path / 'new.npz'))
    subjects = dict(train=['ann'], val=['bob'], test=['eve'])
    store = str(tmp_path / 'stores')
    splits = [WindowDataset(reader, split, subjects, window=8, step=8, store=store) for split in ('train', 'val', 'test')]
    assert [len(split) for split in splits] == [5, 4, 2]


def test_channels_first_and_a_single_subject(tmp_path):
    signal, labels = SUBJECTS[0]
    for shape, given in (('ct', (signal.T, labels)), ('nct', (signal[None].swapaxes(1, 2), [2]))):
        (tmp_path / shape).write_bytes(pickle.dumps(given))
        result = import_recordings(tmp_path / shape, tmp_path / 'new.npz', channels_first=True, **SAME)
        np.testing.assert_array_equal(result.recordings[0].signal, signal.astype(np.float32))


def test_channels_of_a_published_format():
    assert channels_of('PAMAP2') == PAMAP2.channels
    with pytest.raises(ValueError, match="there is no reader with channels of its own 'PAMAP'; did you mean 'PAMAP2'"):
        channels_of('PAMAP')


@pytest.mark.parametrize(
    ('content', 'more', 'message'),
    [
        ([], {}, 'holds a list of 0, expected a list with a pair'),
        ('text', {}, r'holds a str of 4, expected a list with a pair \(X, y\) for each subject'),
        (np.zeros((3, 4)), {}, r'holds an array of shape \(3, 4\), expected a list with a pair'),
        ([SUBJECTS[0], [1, 2, 3]], {}, r'subject 1 has a list of 3, expected a pair of arrays \(X, y\)'),
        (SUBJECTS, dict(subjects=['1', '2']), r'has 3 subject\(s\), and 2 are named: 1, 2$'),
        (
            SUBJECTS,
            dict(channels=['x', 'y']),
            r'subject 0 has X of shape \(300, 3\), expected \(T, C\), .* with C = 2 channels',
        ),
        (SUBJECTS, dict(channels_first=True), r'has X of shape \(300, 3\), expected \(C, T\) or \(N, C, T\) with C = 3'),
        (SUBJECTS, dict(classes=['jump', 'lie']), 'labels has 2, expected -1 to 1'),
        (SUBJECTS, dict(trim=(100, 60)), 'subject 2 has 144 samples, and 100 \\+ 60 are to be left out'),
        (SUBJECTS, dict(trim=(-1, 0)), r'trim must be two numbers of samples, at least 0, got \[-1, 0\]'),
        ([(np.zeros((4, 5, 3)), np.zeros(4))], dict(trim=(1, 0)), 'has windows, of which nothing is left out'),
        ([(np.zeros((4, 3)), np.zeros(5))], {}, r'X of shape \(4, 3\) and y of shape \(5,\), expected one label for each'),
        ([(np.zeros((4, 3)), np.full(4, 0.5))], {}, 'subject 0 has labels that are no whole numbers'),
        ([(np.full((4, 3), np.nan), np.zeros(4))], {}, r'12 value\(s\) are NaN or infinite, the first in x at sample 0'),
    ],
)
def test_messages(content, more, message, tmp_path):
    (tmp_path / 'old.pkl').write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=message) as caught:
        import_recordings(tmp_path / 'old.pkl', tmp_path / 'new.npz', **{**SAME, **more})
    assert '\n' not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ['old.pkl']


def test_the_command_runs_nothing_that_a_pickle_names(tmp_path):
    (tmp_path / 'evil.pkl').write_bytes(b"cposix\nsystem\n(S'touch planted'\ntR.")
    done = call('import', 'recordings', 'evil.pkl', 'new.npz', *WORDS, folder=tmp_path)
    message = 'error: evil.pkl: the file asks for posix.system, which arrays of numbers do not need\n'
    assert (done.returncode, done.stdout, done.stderr) == (1, '', message)
    assert [path.name for path in tmp_path.iterdir()] == ['evil.pkl']
