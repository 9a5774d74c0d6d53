import pickle

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, edit_line, empty, encode_badly, lengthen, separate_by, truncate
from writers.uci_har import TESTED, write

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.datasets.readers.uci_har import UCIHAR

SUBJECTS = dict(type='FixedFolds', tested=[[str(subject) for subject in TESTED]], val=4)
PIPELINE = [dict(type='mmkd_plugin.NormalizeSignal'), dict(type='mmkd_plugin.PackWindows')]


def test_every_line_is_a_recording(tmp_path):
    reader = UCIHAR(write(tmp_path, each=2))
    part = reader.read('train')
    assert [(r.name, r.subject, r.label) for r in part.recordings[:3]] == [
        ('train_00000', '1', 0),
        ('train_00001', '1', 1),
        ('train_00002', '3', 2),
    ]
    assert (len(part.recordings), part.recordings[41].name, part.recordings[41].subject) == (42, 'train_00041', '30')
    third = part.recordings[2].signal
    assert (third.shape, third.dtype) == ((128, 9), np.float32)
    np.testing.assert_allclose(third, 2 + np.arange(128)[:, None] / 1000 + np.arange(9), rtol=1e-6)
    assert (part.notes, reader.notes()) == ((), [])
    assert [r.subject for r in reader.read('test').recordings] == [str(s) for s in TESTED for _ in range(2)]
    assert reader.channels == (
        *('body_acc_x', 'body_acc_y', 'body_acc_z', 'body_gyro_x', 'body_gyro_y', 'body_gyro_z'),
        *('total_acc_x', 'total_acc_y', 'total_acc_z'),
    )
    assert len(reader.files()) == 2 * 11
    assert pickle.loads(pickle.dumps(reader)).fingerprint() == reader.fingerprint()


def test_the_splits_of_the_archive(tmp_path):
    write(tmp_path, each=3)
    counts = {}
    for split in ('train', 'val', 'test'):
        dataset = WindowDataset(
            split=split,
            reader=dict(type='UCIHAR', root=str(tmp_path)),
            subjects=SUBJECTS,
            window=128,
            step=128,
            pipeline=PIPELINE,
            store=str(tmp_path / 'stores'),
        )
        counts[split] = len(dataset)
    assert counts == dict(train=17 * 3, val=4 * 3, test=9 * 3)
    assert dataset.metainfo['subjects']['val'] == ['25', '26', '27', '28']  # those after the last who is tested
    assert tuple(dataset[0]['inputs'].shape) == (9, 128)
    assert dataset[0]['data_samples'].get('window_id') == 'test_00000:0'


def forget(root, subject):
    """Take a subject's line away from every file of the part 'test'."""
    folder = root / 'test'
    row = TESTED.index(subject)
    for file in (folder / 'y_test.txt', folder / 'subject_test.txt', *(folder / 'Inertial Signals').iterdir()):
        lines = file.read_text().splitlines(keepends=True)
        file.write_text(''.join(lines[:row] + lines[row + 1 :]))


# What is done to a set with one window of each subject, to its file of total_acc_x of the part 'train', what is then said, and
# whether it is repaired.
DAMAGE = {
    'truncated file': (lambda root, x: truncate(x), r'total_acc_x_train\.txt:13: \d+ columns, expected 128', False),
    'missing column': (
        lambda root, x: edit_line(x, 7, lambda line: line[:-16]),
        r'total_acc_x_train\.txt:7: 127 columns, expected 128',
        False,
    ),
    'text in a number': (
        lambda root, x: edit_line(x, 5, lambda line: line + 'x'),
        r"total_acc_x_train\.txt:5: column 128 is '1\.0127000e\+001x', expected a number",
        False,
    ),
    'wrong separator': (
        lambda root, x: separate_by(x, '  ', ','),
        r'total_acc_x_train\.txt:1: 1 columns, expected 128; are the columns separated by .white space.\?',
        False,
    ),
    # The archive has none, and a gap in a window cannot be cut out.
    'NaN run': (
        lambda root, x: edit_line(x, 4, lambda line: line[:-48] + 3 * 'NaN'.rjust(16)),
        r'total_acc_x_train\.txt:4: column 126 is nan, expected a finite number',
        False,
    ),
    # There are no timestamps: a window that is there twice in one channel comes nearest,
    'duplicate timestamp': (
        lambda root, x: edit_line(x, 6, lambda line: f'{line}\n{line}'),
        r'total_acc_x_train\.txt:22: 22 lines, expected 21 as in y_train\.txt',
        False,
    ),
    # … and subjects whose lines are not in order.
    'negative time step': (
        lambda root, x: edit_field(root / 'train' / 'subject_train.txt', 5, 0, '1'),
        r'subject_train\.txt:5: subject 1 comes back after another; lines are taken in their order',
        True,
    ),
    'wrong label': (
        lambda root, x: edit_field(root / 'train' / 'y_train.txt', 9, 0, '7'),
        r'y_train\.txt:9: label 7, expected a whole number from 1 to 6',
        False,
    ),
    'empty file': (lambda root, x: empty(x), r'total_acc_x_train\.txt:1: the file is empty', False),
    'unreadable encoding': (lambda root, x: encode_badly(x), r'total_acc_x_train\.txt:3: no text in UTF-8: byte 0xff', False),
    'huge line': (lambda root, x: lengthen(x), r'total_acc_x_train\.txt:3: a line of [\d,]+ characters', False),
    'absent subject': (lambda root, x: forget(root, 12), r'there is no window of subject 12$', True),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    write(tmp_path)
    do(tmp_path, tmp_path / 'train' / 'Inertial Signals' / 'total_acc_x_train.txt')
    assert_outcome(UCIHAR(tmp_path).read_all, outcome, noted)


def test_what_is_missing_is_said(tmp_path):
    root = tmp_path / 'UCI HAR Dataset'
    with pytest.raises(
        FileNotFoundError, match=r"holds no folder train and no folder test: root must be the folder 'UCI HAR .*240\)$"
    ):
        UCIHAR(tmp_path).parts()
    write(root)
    with pytest.raises(FileNotFoundError, match=r"root must be the folder .*; it is the folder 'UCI HAR Dataset' inside of it"):
        UCIHAR(tmp_path).files()
    (root / 'test').rename(tmp_path / 'test')
    with pytest.raises(FileNotFoundError, match=r'UCI HAR Dataset holds no folder test: root must be'):
        UCIHAR(root).read_all()
    (tmp_path / 'test').rename(root / 'test')
    edit_line(root / 'test' / 'subject_test.txt', 9, lambda line: f'{line}\n{line}')
    with pytest.raises(ValueError, match=r'subject_test\.txt:10: 10 lines, expected 9 as in y_test\.txt'):
        UCIHAR(root).read('test')
    edit_field(root / 'test' / 'subject_test.txt', 2, 0, '31')
    with pytest.raises(ValueError, match=r'subject_test\.txt:2: subject 31, expected a whole number from 1 to 30'):
        UCIHAR(root).notes()
    (root / 'test' / 'Inertial Signals' / 'body_gyro_y_test.txt').unlink()
    with pytest.raises(ValueError, match=r'body_gyro_y_test\.txt does not exist; a part has labels, subjects and 9 channels'):
        UCIHAR(root).fingerprint()
