import pickle
from collections import Counter

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, edit_line, empty, encode_badly, lengthen, separate_by, truncate
from writers.hapt import SEGMENTS, write

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.datasets.readers.hapt import HAPT


def test_every_labelled_segment_is_a_recording(tmp_path):
    reader = HAPT(write(tmp_path))
    assert reader.parts() == ['exp01_user01', 'exp02_user01', 'exp03_user02']
    assert reader.channels == ('acc_x', 'acc_y', 'acc_z', 'gyro_x', 'gyro_y', 'gyro_z')
    part = reader.read('exp01_user01')
    assert [(r.name, r.subject, reader.classes[r.label], len(r.signal)) for r in part.recordings] == [
        ('exp01_user01:11', '1', 'standing', 30),
        ('exp01_user01:41', '1', 'stand_to_sit', 20),
        ('exp01_user01:70', '1', 'sitting', 31),
    ]
    expected = 1 + np.arange(41, 61)[:, None] / 1000 + np.array([0, 1, 2, 10, 11, 12])
    np.testing.assert_allclose(part.recordings[1].signal, expected, rtol=1e-6)
    assert part.recordings[1].signal.dtype == np.float32
    assert (part.notes, reader.notes()) == ((), [])
    assert len(reader.files()) == 3 * 2 + 1
    assert pickle.loads(pickle.dumps(reader)).fingerprint() == reader.fingerprint()
    assert HAPT(tmp_path, ['acc']).fingerprint() != reader.fingerprint()


def test_one_sensor_and_a_sensor_that_is_longer(tmp_path):
    write(tmp_path)
    alone = HAPT(tmp_path, ['gyro']).read('exp03_user02').recordings
    assert [(r.name, r.subject, r.label, r.signal.shape) for r in alone] == [('exp03_user02:5', '2', 11, (96, 3))]
    assert alone[0].signal[0, 0] == pytest.approx(13.005)
    with open(tmp_path / 'RawData' / 'gyro_exp03_user02.txt', 'a') as file:
        file.write('1.0 2.0 3.0\n')
    part = HAPT(tmp_path).read('exp03_user02')
    assert len(part.recordings[0].signal) == 96
    assert [note.split('/')[-1] for note in part.notes] == [
        'gyro_exp03_user02.txt: 1 sample(s) at the end are left out, which the other sensor lacks'
    ]


def test_an_experiment_without_labels_is_left_out(tmp_path):
    write(tmp_path)
    edit_line(tmp_path / 'RawData' / 'labels.txt', 4, lambda line: '')
    part = HAPT(tmp_path).read('exp02_user01')
    assert (part.recordings, len(part.notes)) == ((), 1)
    assert part.notes[0].endswith('labels.txt has no label of exp02_user01, which is left out')


def label(root, line, column, text):
    edit_field(root / 'RawData' / 'labels.txt', line, column, text)


def nan_run(file):
    for line in (20, 21, 22):
        edit_field(file, line, 1, 'NaN')


# What is done to the archive, its file acc_exp01_user01.txt, what is then said, and whether it is repaired.
DAMAGE = {
    # Where a cut leaves three numbers, the labels go beyond what is left, see below.
    'truncated file': (lambda root, acc: truncate(acc), r'acc_exp01_user01\.txt:61: 1 columns, expected 3', False),
    'missing column': (lambda root, acc: edit_field(acc, 7, 1, None), r'acc_exp01_user01\.txt:7: 2 columns, expected 3', False),
    'text in a number': (
        lambda root, acc: edit_field(acc, 5, 2, '0.5x'),
        r"acc_exp01_user01\.txt:5: z is '0\.5x', expected a number",
        False,
    ),
    'wrong separator': (
        lambda root, acc: separate_by(acc, ' ', ';'),
        r'acc_exp01_user01\.txt:1: 1 columns, expected 3; are the columns separated by .white space.\?',
        False,
    ),
    # The archive has none, so that a gap is no matter of filling.
    'NaN run': (lambda root, acc: nan_run(acc), r'acc_exp01_user01\.txt:20: y is nan, expected a finite number', False),
    # There are no timestamps: a segment that begins before the one before it has ended comes nearest.
    'duplicate timestamp': (
        lambda root, acc: label(root, 2, 3, '40'),
        r'labels\.txt:2: the segment shares samples with that of line 1',
        False,
    ),
    # As above: a segment that ends before it begins.
    'negative time step': (
        lambda root, acc: label(root, 2, 4, '39'),
        r'labels\.txt:2: the last sample, 39, comes before the first, 41',
        False,
    ),
    'wrong label': (lambda root, acc: label(root, 3, 2, '13'), r'labels\.txt:3: activity 13, expected 1 to 12', False),
    'empty file': (lambda root, acc: empty(acc), r'acc_exp01_user01\.txt:1: the file is empty', False),
    'unreadable encoding': (
        lambda root, acc: encode_badly(acc),
        r'acc_exp01_user01\.txt:3: no text in UTF-8: byte 0xff',
        False,
    ),
    'huge line': (lambda root, acc: lengthen(acc), r'acc_exp01_user01\.txt:3: a line of [\d,]+ characters', False),
    'absent subject': (
        lambda root, acc: [path.unlink() for path in root.glob('RawData/*_user02.txt')],
        r'labels\.txt has labels of 1 experiment\(s\) that are absent: 3',
        True,
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    write(tmp_path)
    do(tmp_path, tmp_path / 'RawData' / 'acc_exp01_user01.txt')
    assert_outcome(HAPT(tmp_path).read_all, outcome, noted)


@pytest.mark.parametrize(
    ('line', 'column', 'text', 'message'),
    [
        (3, 4, '101', r'labels\.txt:3: the last sample is 101; exp01_user01 has 100 samples'),
        (1, 3, '0', r'labels\.txt:1: first is 0, expected a whole number from 1'),
        (1, 2, '5.5', r'labels\.txt:1: activity is 5\.5, expected a whole number from 1'),
        (2, 1, '2', r'labels\.txt:2: user 2 in experiment 1, expected 1 as in exp01_user01'),
        (2, 4, None, r'labels\.txt:2: 4 columns, expected 5'),
    ],
)
def test_labels_that_cannot_be(line, column, text, message, tmp_path):
    label(write(tmp_path), line, column, text)
    with pytest.raises(ValueError, match=message):
        HAPT(tmp_path).read_all()


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"RawData holds no labels\.txt: root must be the folder 'HAPT Data Set'"):
        HAPT(tmp_path).read_all()
    write(tmp_path / 'HAPT Data Set', sensors=['acc'])
    with pytest.raises(FileNotFoundError, match=r"dataset/341\); it is the folder 'HAPT Data Set' inside of it$"):
        HAPT(tmp_path).read_all()
    root = tmp_path / 'HAPT Data Set'
    with pytest.raises(ValueError, match=r"gyro_exp01_user01\.txt and 2 more do not exist: sensors=\('acc', 'gyro'\)"):
        HAPT(root).read_all()
    assert len(HAPT(root, ['acc']).read_all().recordings) == len(SEGMENTS)
    for path in root.glob('RawData/acc_*'):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r'RawData holds no acc_exp01_user01\.txt, nor another experiment'):
        HAPT(root, ['acc']).read_all()
    for sensors in ((), ('acc', 'acc'), ('acc', 'magnetometer')):
        with pytest.raises(ValueError, match=r'sensors are acc and gyro, or one of them; got'):
            HAPT(root, sensors)


@pytest.fixture
def archive(recordings_of):
    return recordings_of('HAPT')


def test_the_archive_itself(archive):
    reader = HAPT(archive, ['acc'])
    result = reader.read_all()
    assert len(reader.parts()) == 20
    rows = {part: len((archive / 'RawData' / f'acc_{part}.txt').read_text().splitlines()) for part in reader.parts()}
    assert rows == {part: known['rows'] for part, known in HAPT.known.items()}
    assert sum(rows.values()) == 376_423
    assert sum(len(r.signal) for r in result.recordings) == 276_165
    assert sorted({int(r.subject) for r in result.recordings}) == [1, 2, 3, 4, 5, 25, 26, 27, 28, 29, 30]
    assert len(result.notes) == 1
    assert 'has labels of 41 experiment(s) that are absent: 11, 12, ' in result.notes[0]


def test_windows_of_the_archive(archive, store_dir):
    windows, parts = Counter(), Counter()
    for split in ('train', 'val', 'test'):
        dataset = WindowDataset(
            split=split,
            reader=dict(type='HAPT', root=str(archive), sensors=['acc']),
            subjects=dict(type='LeaveOneSubjectOut', fold=0, val=2),
            window=128,
            step=64,
            store=str(store_dir),
        )
        windows.update(dataset.data_list.label.tolist())
        parts.update(info['recording'].split(':')[0] for info in dataset.data_list)
    assert [windows[label] for label in range(12)] == [622, 530, 487, 586, 660, 644, 25, 14, 37, 30, 42, 21]
    assert parts == {part: known['windows'] for part, known in HAPT.known.items()}
    assert dataset.metainfo['subjects']['val'] == ['2', '3']
