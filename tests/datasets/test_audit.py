import numpy as np
import pytest
from writers.arrays import write_recordings

from mmkd_plugin.datasets import Recording, WindowDataset, audit, read_manifest

SUBJECTS = dict(train=['a'], val=['b'], test=['c'])


def noise(seed, length=60, channels=2):
    return np.random.default_rng(seed).normal(size=(length, channels)).astype(np.float32)


def recording(subject, label, signal=None, name=None):
    seed = 10 * ord(subject) + label
    return Recording(noise(seed) if signal is None else signal, label, subject, name or f'{subject}_{label}')


@pytest.fixture
def splits(tmp_path):
    """Give three splits of some recordings; each may have subjects of its own, as in the config of one who makes a mistake."""

    def build(recordings=None, subjects=None, step=5, channels=('x', 'y')):
        recordings = recordings or [recording(s, k) for s in 'abc' for k in (0, 1)]
        number = len(list(tmp_path.glob('*.npz')))
        options = dict(write_recordings(tmp_path / f'{number}.npz', recordings, channels), window=20, step=step)
        subjects = subjects or dict.fromkeys(('train', 'val', 'test'), SUBJECTS)
        return {split: WindowDataset(split=split, subjects=subjects[split], **options) for split in ('train', 'val', 'test')}

    return build


def test_the_manifest_lists_every_window_and_is_read_back(splits, tmp_path):
    data = splits()
    manifest = audit(data)
    assert manifest.counts() == {'test': 18, 'train': 18, 'val': 18}
    columns = manifest.columns
    place = 18 + 9 + 2  # the third window of the second recording of the validation split
    values = {name: columns[name][place].item() for name in columns if name != 'content'}
    assert values == dict(split='val', subject='b', recording='b_1', start=10, end=30, label=1)
    assert len(np.unique(columns['content'])) == 54
    again = read_manifest(manifest.write(tmp_path / 'manifest' / 'windows.npz'))
    assert again.fingerprint() == manifest.fingerprint()
    assert audit(splits(step=10)).fingerprint() != manifest.fingerprint()


def test_a_classifier_sees_the_windows_of_known_classes_alone(splits):
    whole = audit(splits())
    whole.columns['label'][::3] = -1
    known = whole.known()
    assert known.columns['start'].tolist() == np.delete(whole.columns['start'], np.s_[::3]).tolist()
    assert known.columns['label'].min() == 0
    assert (known.classes, known.has_subjects) == (whole.classes, whole.has_subjects)


def test_a_subject_in_two_splits_is_found(splits):
    swapped = dict(train=['b'], val=['a'], test=['c'])
    with pytest.raises(ValueError, match=r'subject\(s\) a are in both the train and the val split'):
        audit(splits(subjects=dict(train=SUBJECTS, val=swapped, test=SUBJECTS)))


def test_samples_in_two_splits_are_found(splits):
    """One recording, cut at other places and counted as another person's in the two splits' configs."""
    one = splits([recording('a', 0, noise(0), 'same'), *(recording(s, 1) for s in 'abc')])
    other = splits([recording('b', 0, noise(0), 'same'), *(recording(s, 1) for s in 'abc')], step=7)
    with pytest.raises(ValueError, match="windows of the train and the val split share samples: recording 'same', sample 0"):
        audit(dict(train=one['train'], val=other['val'], test=one['test']))


def test_the_same_window_under_another_name_is_found(splits):
    twin = noise(99)
    leaked = [recording('a', 0, twin), recording('b', 0, twin, 'copy'), *(recording(s, 1) for s in 'abc'), recording('c', 0)]
    with pytest.raises(ValueError, match=r'9 window\(s\) are in both the train and the val split, .* a_0:(\d+) and copy:\1'):
        audit(splits(leaked))


def test_windows_in_which_nothing_moves_are_nobody_s(splits):
    still = [recording(s, 0, np.full((60, 2), 0.5, np.float32)) for s in 'abc']
    assert audit(splits([*still, *(recording(s, 1) for s in 'abc')])).counts()['train'] == 18


def test_a_label_among_the_channels_is_found(splits):
    def told(subject, label):
        return recording(
            subject, label, np.column_stack([noise(10 * ord(subject) + label)[:, 0], np.full(60, 3.0 * label, np.float32)])
        )

    with pytest.raises(
        ValueError, match="channel 'activity' is the label: the channel is constant in every window of the train split"
    ):
        audit(splits([told(s, k) for s in 'abc' for k in (0, 1)], channels=('x', 'activity')))


def test_a_channel_that_stands_still_for_everybody_is_no_label(splits):
    def dead(subject, label):
        return recording(subject, label, np.column_stack([noise(10 * ord(subject) + label)[:, 0], np.zeros(60, np.float32)]))

    assert audit(splits([dead(s, k) for s in 'abc' for k in (0, 1)])).counts()['train'] == 18
