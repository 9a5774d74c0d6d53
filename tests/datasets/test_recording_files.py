import hashlib
import pickle

import numpy as np
import pytest
from writers.arrays import write_recordings

from mmkd_plugin.datasets import Part, Reader, Recording, WindowDataset, audit

SUBJECTS = dict(train=['a', 'b'], val=['c'], test=['d'])
LENGTH, WINDOW = 250_015, 16  # samples: 250,000 windows of each subject with a step of 1
BYTES = 32  # of a window beside its samples, at most


class Counting(Reader):
    """Four subjects; a sample is its own number, the second channel the subject's."""

    channels, classes, rate = ('number', 'subject'), ('low', 'high'), 100.0

    def parts(self):
        return ['a', 'b', 'c', 'd']

    def files(self):
        return []

    def read(self, part):
        number = np.arange(LENGTH, dtype=np.float32)
        signal = np.column_stack([number, np.full(LENGTH, ord(part), np.float32)])
        label = np.where(number < 100, -1, number >= LENGTH // 2)
        return Part((Recording(signal, label.astype(int), part, f'{part}:0'),))


@pytest.fixture(scope='module')
def splits(tmp_path_factory):
    """A million windows in three splits."""
    store = str(tmp_path_factory.mktemp('stores'))
    options = dict(reader=dict(type=Counting, root='nowhere'), store=store, subjects=SUBJECTS, window=WINDOW, step=1)
    return {split: WindowDataset(split=split, **options) for split in SUBJECTS}


def test_a_million_windows_are_index_arrays(splits):
    counts = {split: len(dataset) for split, dataset in splits.items()}
    dropped = 100 + WINDOW - 1  # they begin where there is no label, or their ends have two labels
    assert counts == dict(train=2 * (250_000 - dropped), val=250_000 - dropped, test=250_000 - dropped)
    for dataset in splits.values():
        windows = dataset.data_list
        arrays = [value for value in vars(windows).values() if isinstance(value, np.ndarray)]
        assert [len(array) for array in arrays] == 3 * [len(windows)]
        assert sum(array.nbytes for array in arrays) <= BYTES * len(windows)
        assert len(windows.recordings) == 4
    one = splits['train'].data_list.recordings[0].signal
    assert isinstance(one, np.memmap)
    for dataset in splits.values():  # all of them look into the same map
        assert dataset.data_list.recordings[0].signal is one


def test_any_window_is_found(splits):
    dataset = splits['train']
    places = np.random.default_rng(0).integers(0, len(dataset), 50).tolist()
    each = len(dataset) // 2
    for place in [0, each - 1, each, len(dataset) - 1, *places]:
        start = 100 + place % each
        if start > LENGTH // 2 - WINDOW:  # those across the change of label are left out
            start += WINDOW - 1
        info = dataset.get_data_info(place)
        subject = 'ab'[place // each]
        assert (info['subject'], info['start'], info['window_id']) == (subject, start, f'{subject}:0:{start}')
        assert info['gt_label'] == int(start >= LENGTH // 2)
        assert info['signal'].shape == (2, WINDOW)
        assert info['signal'][0].tolist() == list(range(start, start + WINDOW))
        assert set(info['signal'][1]) == {ord(subject)}
    few = dataset.data_list[places]
    assert [few[i]['window_id'] for i in range(50)] == [dataset.data_list[place]['window_id'] for place in places]


def test_a_million_windows_are_audited(splits):
    manifest = audit(splits)
    assert manifest.counts() == {split: len(dataset) for split, dataset in splits.items()}
    assert len(np.unique(manifest.columns['content'])) == len(manifest.columns['content'])


def test_equal_hashes_are_equal_samples(tmp_path):
    """Against an independent hash of every window's bytes: windows of few values, of which many are alike."""
    random = np.random.default_rng(0)
    recordings = []
    for place in range(12):
        signal = random.integers(0, 2, size=(random.integers(20, 300), 2)).astype(np.float32)
        recordings.append(Recording(signal * random.choice([-1, 1]), place % 2, 'abcd'[place % 4], str(place)))
    options = write_recordings(tmp_path / 'few.npz', recordings)
    dataset = WindowDataset(split='train', subjects=SUBJECTS, window=4, step=3, **options)
    content = audit(dict(train=dataset)).columns['content']
    windows = dataset.data_list
    exact = [hashlib.sha256(np.ascontiguousarray(windows.signal(i))).hexdigest() for i in range(len(windows))]
    _, own = np.unique(content, return_inverse=True)
    _, theirs = np.unique(exact, return_inverse=True)
    pairs = set(zip(own.tolist(), theirs.tolist()))
    assert len(pairs) == len(set(own.tolist())) == len(set(theirs.tolist())) < len(windows)
    shuffled = random.permutation(len(windows))
    dataset.data_list = windows[shuffled]
    np.testing.assert_array_equal(audit(dict(train=dataset)).columns['content'], content[shuffled])


def test_a_data_set_that_is_pickled_takes_no_samples_along(splits):
    """As for a loader's worker that is started anew."""
    dataset = splits['train']
    packed = pickle.dumps(dataset)
    samples = sum(r.signal.nbytes for r in dataset.data.recordings)
    assert len(packed) < 24 * len(dataset) + samples / 100  # the index, and little else
    again = pickle.loads(packed)
    assert isinstance(again.data_list.recordings[0].signal, np.memmap)
    assert again.get_data_info(12_345)['window_id'] == dataset.get_data_info(12_345)['window_id']
    np.testing.assert_array_equal(again.get_data_info(-1)['signal'], dataset.get_data_info(-1)['signal'])
