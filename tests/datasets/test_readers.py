import os
import pickle
from collections import Counter

import numpy as np
import pytest

from mmkd_plugin.datasets import Recording, Recordings, read_basic_motions, read_seglearn_watch
from mmkd_plugin.datasets.readers import seglearn_watch


def test_the_watch_recordings_are_all_there():
    data = read_seglearn_watch()
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
    data = read_basic_motions()
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


def test_a_missing_package_comes_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(seglearn_watch.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ImportError, match="not installed. Run: pip install 'seglearn>=1.2.5'"):
        read_seglearn_watch.__wrapped__()


def recordings(**changes):
    signal = changes.pop('signal', np.zeros((30, 2), np.float32))
    first = Recording(signal, changes.pop('label', 0), 'a', changes.pop('name', 'a_0'))
    second = Recording(np.ones((30, 2), np.float32), 1, 'b', 'b_1')
    return Recordings((first, second), ('x', 'y'), ('rest', 'walk'), 10.0)


def test_one_copy_serves_all_and_cannot_be_changed():
    with pytest.raises(ValueError, match='read-only'):
        recordings().recordings[0].signal[0, 0] = 1


def test_the_digest_sees_every_change():
    changed = np.zeros((30, 2), np.float32)
    changed[29, 1] = 1e-6
    digests = {d.digest() for d in (recordings(), recordings(signal=changed), recordings(label=1), recordings(name='c'))}
    assert len(digests) == 4
    assert recordings().digest() == recordings().digest()


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
