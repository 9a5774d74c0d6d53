"""Images that were made of windows before: checked against the windows, and read by a teacher as a view."""

import json

import numpy as np
import pytest
import torch
from helpers import CONFIGS, call
from writers.arrays import write_recordings

from mmkd_plugin.apis import check_config, load_config, train
from mmkd_plugin.apis.imports import import_images
from mmkd_plugin.apis.robustness import evaluate_corruptions
from mmkd_plugin.datasets import Recording
from mmkd_plugin.deploy import load_student
from mmkd_plugin.fileio import find_network
from mmkd_plugin.models import StoredImages, ViewPreprocessor

SUBJECTS = ('a', 'b', 'c', 'd')
DATA = """
_base_ = {loaders!r}
dataset = dict(
    type='WindowDataset', reader={reader!r}, store={store!r}, window=10, step=5,
    subjects=dict(train=['a', 'b'], val=['c'], test=['d']),
    pipeline=[dict(type='NormalizeSignal'), {augment}dict(type='PackWindows')],
)
train_dataloader = dict(batch_size=8, dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(type='ViewPreprocessor', shape=(2, 10), num_classes=2, views=dict({views}))
"""


def labels_of(subject):
    """Labels of the windows: two recordings of 30 samples, five windows each, of one class each."""
    return np.repeat([0, 1], 5)


def images_of(subject):
    """Images whose values say of which subject and window they are, and of which class; three channels of 8 pixels."""
    number = SUBJECTS.index(subject)
    images = np.zeros((10, 3, 8, 8))
    images[:, 0] = number / 8
    images[:, 1] = np.arange(10)[:, None, None] / 16
    images[:, 2] = 4 * labels_of(subject)[:, None, None] - 2
    return images


@pytest.fixture
def files(tmp_path):
    """Data of four subjects, and images and labels of each as published code leaves them; gives a config of the data."""
    rng = np.random.default_rng(0)
    recordings = [
        Recording(rng.normal(label, 1, (30, 2)).astype(np.float32), label, subject, f'{subject}{label}')
        for subject in SUBJECTS
        for label in (0, 1)
    ]
    options = write_recordings(tmp_path / 'data.npz', recordings)
    for index, subject in enumerate(SUBJECTS):
        np.save(tmp_path / f'xtest_org{index}.npy', images_of(subject))
        np.save(tmp_path / f'ytest_org{index}.npy', labels_of(subject)[:, None].astype(np.float64))

    def config(leaf='kd', views='', augment='', **more):
        loaders = str(CONFIGS / '_base_' / 'datasets' / 'loaders.py')
        (tmp_path / 'data.py').write_text(DATA.format(loaders=loaders, views=views, augment=augment, **options))
        return load_config(leaf, data=str(tmp_path / 'data.py'), **more)

    return config


def pattern(folder, kind='x'):
    return str(folder / (kind + 'test_org{index}.npy'))


def index_of(files, folder, **more):
    index = import_images(files(), pattern(folder), folder / 'images.npz', pattern(folder, 'y'), **more)
    return dict(index=str(folder / 'images.npz'), sha256=index['sha256'])


def test_every_window_has_its_own_image(files, tmp_path):
    preprocessor = ViewPreprocessor((2, 10), 2, dict(pi=dict(type='mmkd_plugin.StoredImages', **index_of(files, tmp_path))))
    windows = ['d1:20', 'a0:0', 'c1:0']
    views = preprocessor.encode({'inputs': torch.zeros(3, 2, 10), 'data_samples': [dict(window_id=w) for w in windows]}, ['pi'])
    expected = [images_of('d')[9], images_of('a')[0], images_of('c')[5]]
    np.testing.assert_array_equal(views['pi'].numpy(), np.stack(expected).astype(np.float32))
    assert preprocessor.make(torch.zeros(2, 2, 10), ['pi', 'sig'])['pi'].shape == (2, 3, 8, 8)  # for probing
    with pytest.raises(ValueError, match=r'images\.npz has no image of the window x:0: it was written for other windows'):
        preprocessor.encode({'inputs': torch.zeros(1, 2, 10), 'data_samples': [dict(window_id='x:0')]}, ['pi'])
    with pytest.raises(ValueError, match="view 'pi' is looked up by the names of windows, and the batch has none"):
        preprocessor.encode({'inputs': torch.zeros(1, 2, 10)}, ['pi'])


def test_channels_last_and_the_command(files, tmp_path):
    files()
    for subject in SUBJECTS:
        np.save(tmp_path / f'last_{subject}.npy', images_of(subject).transpose(0, 2, 3, 1).astype(np.float16))
    words = ['kd', 'last_{subject}.npy', 'images.npz', '--data', 'data.py', '--channels-last']
    done = call('import', 'images', *words, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    first, order, config = done.stdout.splitlines()[-3:]
    assert first == '40 images (3, 8, 8) of 4 subject(s): images.npz'
    assert order.startswith('only numbers were compared with those of the windows, and not the order')
    sha256 = config.partition('sha256=')[2].strip("')")
    view = StoredImages(str(tmp_path / 'images.npz'), sha256)
    np.testing.assert_array_equal(view(torch.zeros(1, 2, 10), ['b1:10'])[0].numpy(), images_of('b')[7])


def test_a_teacher_of_stored_images_and_its_student(files, tmp_path):
    view = index_of(files, tmp_path)
    (tmp_path / 'teacher.py').write_text(
        "_base_ = 'mmkd_plugin::configs/teachers/pi.py'\n"
        'model = dict(learners=dict(pi=dict(network=dict(backbone=dict(depth=10)))))\n'
    )
    (tmp_path / 'run.py').write_text(
        "_base_ = 'mmkd_plugin::configs/kd.py'\n"
        f'model = dict(teachers=dict(_delete_=True, pi=dict(config={str(tmp_path / "teacher.py")!r})),\n'
        "             transfers=dict(kd=dict(source='pi.logits')))\n"
    )
    options = {'train_cfg.max_epochs': 1, 'teachers.train_cfg.max_epochs': 4, 'teacher_dir': str(tmp_path / 'teachers')}
    views = f"pi=dict(type='StoredImages', **{view!r})"
    cfg = files(str(tmp_path / 'run.py'), views, work_dir=str(tmp_path / 'run'), cfg_options=options)
    result = train(cfg)
    teacher = find_network(result, 'teacher', 'pi')
    assert teacher['view'] == 'pi'
    assert teacher['test']['last']['accuracy'] == 1.0  # a channel of the images is the class
    assert not [fault for fault in result['faults'] if 'view' in fault]
    written = json.loads((tmp_path / 'run' / 'result.json').read_text())
    assert find_network(written)['view'] == 'sig'  # the student reads the signal alone
    checkpoint = teacher['checkpoint']
    own = files(str(tmp_path / 'teacher.py'), views, work_dir=str(tmp_path / 'other'))
    with pytest.raises(ValueError, match='pi reads the view pi, whose images were made before: no corruption reaches it'):
        evaluate_corruptions(own, checkpoint)
    with pytest.raises(ValueError, match='the student reads StoredImages, images that exist for the windows of its run alone'):
        load_student(checkpoint)


def test_augmentation_beside_stored_images_is_refused(files, tmp_path):
    views = f"pi=dict(type='StoredImages', **{index_of(files, tmp_path)!r})"
    cfg = files('kd', views, "dict(type='Jitter', sigma=0.1), ")
    with pytest.raises(ValueError, match='pipeline has Jitter, and images of the view pi were made of signals as they were'):
        check_config(cfg)


def test_images_that_change_are_noticed(files, tmp_path):
    view = index_of(files, tmp_path)
    with pytest.raises(ValueError, match=r'images\.npz has the fingerprint \w+, and sha256 is 00: other images'):
        StoredImages(view['index'], '00')
    with pytest.raises(FileNotFoundError, match=r'none\.npz does not exist: index must be a file that `mmkd import images`'):
        StoredImages(str(tmp_path / 'none.npz'), view['sha256'])
    assert index_of(files, tmp_path) == view  # the same content has the same fingerprint
    np.save(tmp_path / 'xtest_org2.npy', images_of('c') + 1)
    moved = tmp_path / 'copy.npz'  # which this process has not opened yet
    moved.write_bytes((tmp_path / 'images.npz').read_bytes())
    with pytest.raises(ValueError, match=r'xtest_org2\.npy has changed since .* was written: `mmkd import images` once more'):
        StoredImages(str(moved), view['sha256'])
    assert index_of(files, tmp_path)['sha256'] != view['sha256']
    (tmp_path / 'xtest_org2.npy').unlink()
    with pytest.raises(FileNotFoundError, match=r'xtest_org2\.npy does not exist, which .* takes images from'):
        StoredImages(str(moved), view['sha256'])


def with_nan(images):
    images[6, 1, 2, 3] = np.nan
    return images


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('xtest_org1.npy', lambda: images_of('b')[:9], r'xtest_org1\.npy has 9 images, and subject b has 10 windows'),
        ('xtest_org1.npy', lambda: with_nan(images_of('b')), r'xtest_org1\.npy: image 6 has values that are not finite'),
        ('xtest_org1.npy', lambda: images_of('b')[..., :7], r'different shapes: \(3, 8, 7\), \(3, 8, 8\)'),
        ('xtest_org1.npy', lambda: images_of('b')[0], r'is float64 of shape \(3, 8, 8\), expected numbers \(N, C, H, W\)'),
        ('xtest_org1.npy', lambda: np.array([{}], dtype=object), r'no array of numbers in an \.npy file: .* Python objects'),
        (
            'ytest_org1.npy',
            lambda: labels_of('b')[::-1],
            r"label 0 is 1, and window b0:0 is 0, 'u' \(10 differ\): .*xtest_org1",
        ),
        ('ytest_org1.npy', lambda: labels_of('b')[:9], r'ytest_org1\.npy has labels of shape \(9,\), expected \(10,\)'),
    ],
)
def test_messages(name, content, message, files, tmp_path):
    np.save(tmp_path / name, content(), allow_pickle=True)
    with pytest.raises(ValueError, match=message) as caught:
        index_of(files, tmp_path)
    assert '\n' not in str(caught.value)
    assert not (tmp_path / 'images.npz').exists()


def test_what_is_absent_is_said(files, tmp_path):
    (tmp_path / 'xtest_org3.npy').unlink()
    with pytest.raises(FileNotFoundError, match=r'xtest_org3\.npy does not exist$'):
        index_of(files, tmp_path)
    with pytest.raises(ValueError, match=r'images\.npy must have \{index\} or \{subject\} in the place of what differs'):
        import_images(files(), 'images.npy', tmp_path / 'images.npz')
