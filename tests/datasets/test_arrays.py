import pickle

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, empty

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.datasets.readers import arrays
from mmkd_plugin.datasets.readers.arrays import ArrayRecordings, save_recordings

SAME = dict(channels=['x', 'y'], classes=['walk', 'rest'], rate=50.0)


def signals_of(*lengths):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(length, 2)) for length in lengths]


def write(root, **changed):
    """Three recordings of different lengths."""
    given = dict(signals=signals_of(30, 20, 25), labels=['walk', 'rest', 1], subjects=['ann', 'bob', 3], **SAME)
    save_recordings(root / 'mine.npz', **{**given, **changed})
    return root / 'mine.npz'


def rewrite(file, **changed):
    """Change arrays of a file, as another program may have written it; None takes one away."""
    with np.load(file) as old:
        new = {name: value for name, value in {**old, **changed}.items() if value is not None}
    np.savez(file, **new)


def test_recordings_come_back_as_they_were_given(tmp_path):
    signals = signals_of(30, 20, 25)
    result = ArrayRecordings(write(tmp_path)).read_all()
    assert (result.channels, result.classes, result.rate, result.notes) == (('x', 'y'), ('walk', 'rest'), 50.0, ())
    sentence = [(r.name, r.subject, r.label) for r in result.recordings]
    assert sentence == [('recording_0000', 'ann', 0), ('recording_0001', 'bob', 1), ('recording_0002', '3', 1)]
    for recording, signal in zip(result.recordings, signals):
        np.testing.assert_array_equal(recording.signal, signal.astype(np.float32))


def test_one_array_and_a_label_per_sample(tmp_path):
    signals = np.arange(24, dtype=np.int16).reshape(3, 4, 2)
    labels = np.array([[0, 0, -1, 1]] * 3)
    names = ['a', 'b', 'c']
    for given in (labels, [['walk', 'walk', '', 'rest']] * 3):
        result = ArrayRecordings(write(tmp_path, signals=signals, labels=given, names=names)).read_all()
        assert [r.name for r in result.recordings] == names
        np.testing.assert_array_equal([r.signal for r in result.recordings], signals)
        np.testing.assert_array_equal([r.label for r in result.recordings], labels)


def as_objects(label):
    return np.array(label, dtype=object)


@pytest.mark.parametrize(
    'label',
    [
        as_objects(['walk', 'walk', None, 'rest']),  # of pandas
        as_objects(['walk', 'walk', float('nan'), 'rest']),
        np.array([b'walk', b'walk', b'', b'rest']),  # of HDF5
        as_objects([b'walk', b'walk', b'NaN', b'rest']),
        np.array([0, 0, np.nan, 1]),
        as_objects([0, 0, None, 1]),
        ['walk', 'walk', 'null', 'rest'],
    ],
    ids=['None', 'NaN', 'bytes', 'objects of bytes', 'floats', 'numbers', 'words'],
)
def test_columns_of_other_programs(label, tmp_path):
    signals = np.zeros((2, 4, 2))
    result = ArrayRecordings(write(tmp_path, signals=signals, labels=[label] * 2, subjects=[b'ann', np.int64(3)])).read_all()
    np.testing.assert_array_equal([r.label for r in result.recordings], [[0, 0, -1, 1]] * 2)
    assert [r.subject for r in result.recordings] == ['ann', '3']


def test_missing_values_of_pandas(tmp_path):
    pandas = pytest.importorskip('pandas')
    label = pandas.Series(['walk', None, 'rest'], dtype='string').to_numpy()
    result = ArrayRecordings(write(tmp_path, signals=np.zeros((1, 3, 2)), labels=[label], subjects=['ann'])).read_all()
    np.testing.assert_array_equal(result.recordings[0].label, [0, -1, 1])


def test_names_given_as_bytes(tmp_path):
    names = dict(channels=np.array([b'x', b'y']), classes=as_objects([b'walk', b'rest']), names=[b'a', b'b', b'c'])
    result = ArrayRecordings(write(tmp_path, labels=as_objects(['walk', 'rest', 'rest']), **names)).read_all()
    assert (result.channels, result.classes, [r.name for r in result.recordings]) == (
        ('x', 'y'),
        ('walk', 'rest'),
        ['a', 'b', 'c'],
    )


def test_a_config_reads_windows_through_the_store(tmp_path):
    file = write(tmp_path)
    subjects = dict(train=['ann'], val=['bob'], test=['3'])
    reader = dict(type='ArrayRecordings', root=str(file))
    options = dict(reader=reader, subjects=subjects, window=5, step=5, store=str(tmp_path / 'stores'))
    assert [len(WindowDataset(split=split, **options)) for split in ('train', 'val', 'test')] == [6, 4, 5]


def test_a_reader_can_be_pickled_and_knows_when_the_file_changes(tmp_path):
    file = write(tmp_path)
    reader = pickle.loads(pickle.dumps(ArrayRecordings(file)))
    assert (reader.parts(), reader.files()) == (['all'], [file])
    before = reader.fingerprint()
    assert before == ArrayRecordings(file).fingerprint()
    write(tmp_path, signals=signals_of(30, 20, 26))
    assert reader.fingerprint() != before


def test_large_files_are_read_part_by_part(tmp_path, monkeypatch):
    labels = [np.full(length, place % 2) for place, length in enumerate((30, 20, 25))]
    whole = ArrayRecordings(write(tmp_path, labels=labels)).read_all()
    monkeypatch.setattr(arrays, 'LARGE', 50)  # values, 25 samples
    reader = ArrayRecordings(write(tmp_path, labels=labels))
    assert reader.parts() == ['0', '1', '2']
    assert [r.name for r in reader.read('1').recordings] == ['recording_0001']
    assert reader.read_all().fingerprint() == whole.fingerprint()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    file = write(tmp_path)
    before = file.read_bytes()
    with pytest.raises(ValueError, match='the label is'):
        write(tmp_path, labels=['walk', 'rest', 'swim'])
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ['mine.npz']


def with_nan():
    signals = signals_of(30, 20, 25)
    signals[1][3:6, 1] = np.nan
    return signals


@pytest.mark.parametrize(
    ('changed', 'message'),
    [
        (dict(labels=['walk', 'rest']), r'labels are 2, expected 3, one for each recording'),
        (dict(subjects='ann'), r'subjects are 3, expected 3, one for each recording'),
        (dict(names=['a', 'b']), r'names are 2, expected 3, one for each recording'),
        (dict(names=['a', 'b', 'a']), r"names has 'a' 2 time\(s\), expected texts that are not empty, all different"),
        (dict(subjects=['ann', None, 'bob']), r"subjects has '' 1 time\(s\), expected texts that are not empty$"),
        (dict(subjects=['ann', float('nan'), 'bob']), r"subjects has '' 1 time\(s\), expected texts that are not empty$"),
        (dict(labels=['walk', None, 'rest']), r'recording_0001: labels have the type object, expected names of classes'),
        (dict(labels=[[float('inf')] * 30, [0] * 20, [1] * 25]), r'recording_0000: labels have the type float64, expected'),
        (dict(labels=[[True] * 30, [0] * 20, [1] * 25]), r'recording_0000: labels have the type bool, expected names'),
        (dict(labels=[[0.5] * 30, [0] * 20, [1] * 25]), r'recording_0000: labels have the type float64, expected names'),
        (dict(labels=[as_objects(['walk', 0] * 15)] * 3), r'recording_0000: labels have the type object, expected names'),
        (dict(subjects=['ann', '', 'bob']), r"subjects has '' 1 time\(s\), expected texts that are not empty$"),
        (dict(signals=[], labels=[], subjects=[]), r'names is empty'),
        (dict(signals=np.zeros((3, 5))), r'recording_0000: the signal has shape \(5,\), expected \(T, 2\)'),
        (dict(signals=signals_of(30, 0, 25)), r'recording_0001: the signal has shape \(0, 2\), expected \(T, 2\)'),
        (dict(channels=['x']), r'recording_0000: the signal has shape \(30, 2\), expected \(T, 1\)'),
        (dict(signals=[[[1, 2], [3]]] * 3), r'recording_0000: the rows of the signal have different lengths'),
        (dict(signals=np.array([[[1, None]]] * 3)), r'recording_0000: the signal has the type object, expected numbers'),
        (dict(signals=np.array([[['1', '2']]] * 3)), r'recording_0000: the signal has the type <U1, expected numbers'),
        (
            dict(signals=with_nan()),
            r'recording_0001: 3 value\(s\) are NaN or infinite, the first in y at sample 3; fill or cut',
        ),
        (dict(signals=np.full((3, 5, 2), 1e300)), r'recording_0000: 10 value\(s\) are NaN or infinite, the first in x'),
        (dict(labels=['walk', 'rest', 'swim']), r"recording_0002: the label is 'swim', expected one of walk, rest"),
        (dict(labels=[0, 1, '']), r"recording_0002: the label is '', expected one of walk, rest"),
        (dict(labels=[0, 1, 2]), r'labels has 2, expected 0 to 1'),
        (dict(labels=[0, 1, -1]), r'labels has -1, expected 0 to 1'),
        (dict(labels=[0.0, 1.0, 1.0]), r'recording_0000: labels have the type float64, expected names of classes or whole'),
        (dict(labels=[0, 1, [0] * 25]), r'some recordings have one label and some have one for each sample'),
        (dict(labels=[[0] * 9] * 3), r'recording_0000: labels have shape \(9,\), expected one label or \(30,\)'),
        (dict(labels=[b'walk', b'rest', b'\xff']), r"b'\\xff' is no text in UTF-8, expected names in that encoding"),
        (dict(classes=['walk', 'rest', 'rest']), r"classes has 'rest' 2 time\(s\), expected texts .* all different"),
        (dict(rate=0), r'rate is 0\.0, expected samples per second, above 0'),
    ],
)
def test_what_cannot_be_saved_is_one_clear_error(changed, message, tmp_path):
    with pytest.raises(ValueError, match=message) as caught:
        write(tmp_path, **changed)
    assert '\n' not in str(caught.value)


def cut(file):
    file.write_bytes(file.read_bytes()[:-200])


def flip(file):
    """Another byte within the samples."""
    data = bytearray(file.read_bytes())
    data[data.index(b'signals_0.npy') + 300] ^= 0xFF
    file.write_bytes(data)


def with_gap(file):
    signal = np.load(file)['signals_0']
    signal[31:34, 0] = np.nan
    rewrite(file, signals_0=signal)


# What is done to the file, and what is then said. It is binary and complete or not: nothing in it is repaired.
DAMAGE = {
    'truncated file': (cut, r'mine\.npz: no \.npz file, or cut off; expected one that save_recordings has written'),
    'missing column': (  # of the samples
        lambda file: rewrite(file, signals_0=np.zeros((75, 1), np.float32)),
        r'mine\.npz: signals_0 is float32 of shape \(75, 1\), expected float32 of \(75, 2\)',
    ),
    'text in a number': (
        lambda file: rewrite(file, lengths=np.array(['30', '20', 'x'])),
        r'mine\.npz: lengths is <U2 of shape \(3,\), expected whole numbers with 1 axis',
    ),
    # Another file than a zip of arrays.
    'wrong separator': (lambda file: file.write_text('1,2,3\n'), r'mine\.npz: no \.npz file, or cut off'),
    'NaN run': (with_gap, r'mine\.npz: recording_0001: 3 value\(s\) are NaN or infinite, the first in x at sample 1'),
    # There are no times; a recording that is there twice and one of no length come nearest.
    'duplicate timestamp': (
        lambda file: rewrite(file, names=np.array(['a', 'b', 'a'])),
        r"mine\.npz: names has 'a' 2 time\(s\), expected texts that are not empty, all different",
    ),
    'negative time step': (
        lambda file: rewrite(file, lengths=np.array([30, -20, 25])),
        r'mine\.npz: lengths has -20, expected at least 1 sample',
    ),
    'wrong label': (lambda file: rewrite(file, labels=np.array([0, 1, 7])), r'mine\.npz: labels has 7, expected 0 to 1'),
    'empty file': (empty, r'mine\.npz: no \.npz file, or cut off'),
    # Bytes that are not those that were written.
    'unreadable encoding': (flip, r"mine\.npz: cannot be read: Bad CRC-32 for file 'signals_0\.npy'"),
    # A recording said to be longer than there are samples.
    'huge line': (
        lambda file: rewrite(file, lengths=np.array([30, 20, 1_000_000])),
        r'mine\.npz: signals_0 is float32 of shape \(75, 2\), expected float32 of \(1000050, 2\)',
    ),
    'absent subject': (
        lambda file: rewrite(file, subjects=np.array(['ann', '', '3'])),
        r"mine\.npz: subjects has '' 1 time\(s\), expected texts that are not empty",
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error(kind, tmp_path):
    do, outcome = DAMAGE[kind]
    do(write(tmp_path))
    assert_outcome(ArrayRecordings(tmp_path / 'mine.npz').read_all, outcome, noted=False)


@pytest.mark.parametrize(
    ('changed', 'message'),
    [
        (dict(rate=None, parts=None), r'mine\.npz: rate, parts missing; expected a file that save_recordings has written'),
        (dict(signals_0=None), r'mine\.npz: signals_0 missing; expected'),
        (dict(signals_0=np.zeros((75, 2))), r'mine\.npz: signals_0 is float64 of shape \(75, 2\), expected float32'),
        (dict(names=np.array(['a', None, 'b'])), r'mine\.npz: cannot be read: names holds Python objects'),
        (dict(rate=np.array([50.0])), r'mine\.npz: rate is float64 of shape \(1,\), expected floating-point numbers with 0'),
        (dict(subjects=np.array(['ann'])), r'mine\.npz: subjects has 1 entries, expected 3 as names'),
        (dict(labels=np.array([0, 1])), r'mine\.npz: labels has 2 entries, expected 3 or one for each of 75'),
        (dict(labels=np.full(75, -2)), r'mine\.npz: labels has -2, expected -1 to 1'),
    ],
)
def test_files_of_other_programs(changed, message, tmp_path):
    rewrite(write(tmp_path), **changed)
    with pytest.raises(ValueError, match=message) as caught:
        ArrayRecordings(tmp_path / 'mine.npz').read_all()
    assert '\n' not in str(caught.value)


def test_what_is_absent_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.npz does not exist: root must be an \.npz file that save_recordings'):
        ArrayRecordings(tmp_path / 'none.npz').parts()


def test_labels_beyond_what_an_index_can_be_are_no_missing_labels(tmp_path):
    labels = [np.full(30, 2**64 - 1, dtype=np.uint64)]  # −1 in 64 bits with a sign
    with pytest.raises(ValueError, match=r'recording_0000: the label is 18446744073709551615, expected an index from 0 to 1'):
        save_recordings(tmp_path / 'a.npz', [np.zeros((30, 1))], labels, ['ann'], ['x'], ['rest', 'walk'], 50)
