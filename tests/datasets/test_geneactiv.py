import base64
import pickle
import struct
import zlib

import numpy as np
import pytest
from scipy.io import savemat
from writers.damage import KINDS, assert_outcome
from writers.geneactiv import window, write

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.datasets.readers import mat_files
from mmkd_plugin.datasets.readers.geneactiv import GENEActiv

FIRST = 'ID-102_CLASS-13_Window-0001.mat'


@pytest.mark.parametrize('compressed', [False, True])
def test_every_file_is_a_recording(compressed, tmp_path):
    reader = GENEActiv(write(tmp_path, do_compression=compressed))
    assert reader.parts() == ['9', '21', '102']
    part = reader.read('102')
    assert [(r.name, r.subject, reader.classes[r.label]) for r in part.recordings] == [
        ('ID-102_CLASS-2_Window-0001', '102', 'CLASS-2'),
        ('ID-102_CLASS-2_Window-0002', '102', 'CLASS-2'),
        ('ID-102_CLASS-13_Window-0001', '102', 'CLASS-13'),
        ('ID-102_CLASS-13_Window-0002', '102', 'CLASS-13'),
    ]
    for recording, (number, place) in zip(part.recordings, ((2, 1), (2, 2), (13, 1), (13, 2))):
        assert (recording.signal.shape, recording.signal.dtype) == ((500, 3), np.float32)
        np.testing.assert_allclose(recording.signal, window(102, number, place), rtol=1e-6)
    assert part.notes == ()
    assert [path.name for path in reader.files()][:2] == ['ID-9_CLASS-2_Window-0001.mat', 'ID-9_CLASS-2_Window-0002.mat']
    assert len(reader.files()) == 12
    assert pickle.loads(pickle.dumps(reader)).fingerprint() == reader.fingerprint()


def test_classes_do_not_depend_on_who_is_there(tmp_path):
    reader = GENEActiv(write(tmp_path))
    assert reader.classes == tuple(f'CLASS-{i}' for i in range(1, 15))
    (note,) = reader.notes()
    assert note.endswith(
        'Window-size-500 has no window of CLASS-1, CLASS-3, CLASS-4, CLASS-5, CLASS-6, CLASS-7, CLASS-8, CLASS-9, '
        'CLASS-10, CLASS-11, CLASS-12, CLASS-14'
    )
    named = GENEActiv(tmp_path, classes=[13, 2])
    assert (named.classes, named.notes()) == (('CLASS-13', 'CLASS-2'), [])
    assert [r.label for r in named.read('9').recordings] == [1, 1, 0, 0]


def test_windows_of_another_size(tmp_path):
    write(write(tmp_path), subjects=[5], size=200)
    reader = GENEActiv(tmp_path, size=200)
    assert reader.parts() == ['5']
    assert {r.signal.shape for r in reader.read('5').recordings} == {(200, 3)}
    with pytest.raises(
        FileNotFoundError, match=r'holds Window-size-100; there is Window-size-200, Window-size-500, chosen by size'
    ):
        GENEActiv(tmp_path, size=100).parts()


def test_groups_of_subjects(tmp_path):
    write(tmp_path, subjects=range(1, 11), classes=range(1, 15), each=1)
    tested = []
    for fold in range(5):
        counts = {}
        for split in ('train', 'val', 'test'):
            dataset = WindowDataset(
                split=split,
                reader=dict(type='GENEActiv', root=str(tmp_path)),
                subjects=dict(type='GroupedKFold', k=5, fold=fold, val=0.15),
                window=500,
                step=500,
                store=str(tmp_path / 'stores'),
            )
            counts[split] = len(dataset)
        assert counts == dict(train=7 * 14, val=14, test=2 * 14)
        tested += dataset.metainfo['subjects']['test']
    assert sorted(tested, key=int) == [str(subject) for subject in range(1, 11)]
    assert dataset.metainfo['classes'] == [f'CLASS-{i}' for i in range(1, 15)]


def change(file, **variables):
    """Write other variables into a file."""
    savemat(file, variables)


def nan_run(file):
    signal = window(102, 13, 1)
    signal[19:22, 1] = np.nan
    change(file, xw=signal)


def newer_format(file):
    """The first bytes of a MATLAB 7.3 file, which is HDF5 and no text either."""
    file.write_bytes(b'MATLAB 7.3 MAT-file'.ljust(124) + struct.pack('<H', 0x0200) + b'IM' + bytes(512))


# What is done to the data, its file FIRST, what is then said, and whether it is repaired. There are no lines: messages name the file.
DAMAGE = {
    'truncated file': (
        lambda first: first.write_bytes(first.read_bytes()[:5000]),
        r'Window-0001\.mat: no MATLAB file that can be read \(\w+: .+\)$',
        False,
    ),
    # A column is an axis.
    'missing column': (
        lambda first: change(first, xw=window(102, 13, 1)[:, :2]),
        r'Window-0001\.mat: xw has shape \(500, 2\), expected \(500, 3\)',
        False,
    ),
    'text in a number': (
        lambda first: change(first, xw=['0.1 x'] * 500),
        r'Window-0001\.mat: xw holds <U5, expected numbers',
        False,
    ),
    # Separators are in the names of the files.
    'wrong separator': (
        lambda first: first.rename(first.with_name('ID_102_CLASS_13_Window_0001.mat')),
        r'ID_102_CLASS_13_Window_0001\.mat: the name must be like ID-102_CLASS-13_Window-0001\.mat',
        False,
    ),
    'NaN run': (nan_run, r'Window-0001\.mat: y is nan at sample 20 \(3 value\(s\)\); the window is left out', True),
    # What is counted here are windows, not timestamps.
    'duplicate timestamp': (
        lambda first: change(first.with_name('ID-102_CLASS-13_Window-1.mat'), xw=window(102, 13, 1)),
        r'ID-102_CLASS-13_Window-1\.mat: this window occurs twice, see ID-102_CLASS-13_Window-0001\.mat',
        False,
    ),
    # Time cannot go back without timestamps, but it can lie along the other axis.
    'negative time step': (
        lambda first: change(first, xw=window(102, 13, 1).T),
        r'Window-0001\.mat: 1 window\(s\) of subject 102 are \(3, 500\): transposed',
        True,
    ),
    'wrong label': (
        lambda first: first.rename(first.with_name('ID-102_CLASS-15_Window-0001.mat')),
        r'CLASS-15_Window-0001\.mat: class 15, expected one of 1, 2, .*, 14; classes=\[\.\.\.\] names others',
        False,
    ),
    'empty file': (lambda first: first.write_bytes(b''), r'Window-0001\.mat: no MATLAB file that can be read', False),
    # No text here: another encoding is another version of the format.
    'unreadable encoding': (newer_format, r'no MATLAB file that can be read \(NotImplementedError: .*HDF', False),
    # A line is a window.
    'huge line': (
        lambda first: change(first, xw=window(102, 13, 1, 50_000)),
        r'Window-0001\.mat: xw has shape \(50000, 3\), expected \(500, 3\)',
        False,
    ),
    # Nothing says which subjects there should be; which classes, that is known.
    'absent subject': (
        lambda first: [path.unlink() for path in first.parent.glob('*CLASS-13*')],
        r'has no window of .*CLASS-13',
        True,
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    write(tmp_path)
    do(tmp_path / 'Window-size-500' / FIRST)
    assert_outcome(GENEActiv(tmp_path).read_all, outcome, noted)


def test_repairs_change_nothing_else(tmp_path):
    write(tmp_path)
    folder = tmp_path / 'Window-size-500'
    change(folder / FIRST, xw=window(102, 13, 1).T)
    nan_run(folder / 'ID-102_CLASS-13_Window-0002.mat')
    part = GENEActiv(tmp_path).read('102')
    assert [r.name for r in part.recordings] == [
        'ID-102_CLASS-2_Window-0001',
        'ID-102_CLASS-2_Window-0002',
        'ID-102_CLASS-13_Window-0001',
    ]
    np.testing.assert_allclose(part.recordings[2].signal, window(102, 13, 1), rtol=1e-6)
    assert len(part.notes) == 2


def test_bytes_that_are_broken_inside(tmp_path):
    write(tmp_path, do_compression=True)
    path = tmp_path / 'Window-size-500' / FIRST
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(ValueError, match=r'Window-0001\.mat: no MATLAB file that can be read \(error: Error -3 while'):
        GENEActiv(tmp_path).read('102')


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'root must be the folder that holds Window-size-500; no public archive'):
        GENEActiv(tmp_path).read_all()
    write(tmp_path)
    change(tmp_path / 'Window-size-500' / FIRST, window=window(102, 13, 1))
    with pytest.raises(ValueError, match=r"Window-0001\.mat: the file has no variable 'xw'"):
        GENEActiv(tmp_path).read_all()
    for classes in (1, [3], [3, 3, 4]):
        with pytest.raises(ValueError, match='classes must be the number of classes, or their numbers, each once; got'):
            GENEActiv(tmp_path, classes=classes)


# What follows the text at a file's head: 164 bytes, at which scipy 1.17 reads memory that is not its own.
CRASHING = 'c-muN^z`LpU|^U5#B4y!3dD>I5CCFxK>18ynu(#JoPhzP-T<l|B+r6HJtLAi0u77|i40(UjD++tA?pM3l9Cx10Jtgy*8'


def test_a_file_that_crashes_the_parser_is_one_error_and_others_are_read_after_it(tmp_path):
    write(tmp_path)
    reader = GENEActiv(tmp_path)
    whole = [r.signal.tolist() for r in reader.read('9').recordings]
    path = tmp_path / 'Window-size-500' / FIRST
    path.write_bytes(b'MATLAB 5.0 MAT-file'.ljust(124) + zlib.decompress(base64.b85decode(CRASHING)))
    with pytest.raises(ValueError, match=r'ID-102_CLASS-13_Window-0001\.mat: no MATLAB file that can be read'):
        reader.read('102')
    assert [r.signal.tolist() for r in reader.read('9').recordings] == whole


def test_a_process_that_ends_in_the_middle_of_a_file_is_one_error(tmp_path, monkeypatch):
    reader = GENEActiv(write(tmp_path))
    for process in mat_files._PROCESSES.values():
        process.kill()
        process.wait()
    monkeypatch.setattr(mat_files, 'CHILD', 'import os, sys; sys.stdin.readline(); os.abort()')
    with pytest.raises(
        ValueError, match=r'Window-0001\.mat: no MATLAB file that can be read: it crashes the parser \(signal 6\)'
    ):
        reader.read('9')
    monkeypatch.undo()
    assert len(reader.read('9').recordings) == 4
