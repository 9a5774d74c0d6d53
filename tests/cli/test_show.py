"""Pictures of windows, errors, maps and graphs, and what a test shows by group: their facts, and what cannot be drawn."""

import json
import re
import sys

import numpy as np
import pytest
import torch
from helpers import CONFIGS, TINY
from printed import refused, rows_of
from sklearn.metrics import confusion_matrix

from mmkd_plugin.apis import activation_maps, config_graph, load_config, predict
from mmkd_plugin.apis.filters import filter_gain, frequency_filters
from mmkd_plugin.apis.predict import build_loader
from mmkd_plugin.apis.show import find_window, image_view, shown_window
from mmkd_plugin.datasets import BasicMotions
from mmkd_plugin.models import ViewPreprocessor
from mmkd_plugin.models.connectors import FrequencyAttention
from mmkd_plugin.models.encoders import PersistenceImage
from mmkd_plugin.registry import MODELS
from mmkd_plugin.visualization import ShownWindow, draw_confusion

LEAF = CONFIGS / 'basic_motions' / 'fam_kd.py'
TWO_FILTERS = {'model.transfers.fam_gaf': None}  # one over time, one over images
TEXTS = ('sig (teacher)', 'gaf (teacher)', 'student (student)', 'aver × 0.2', 'fam_sig × 0.2', 'fam_gaf × 0.2')

pytest.importorskip('matplotlib', reason="matplotlib is not installed: pip install 'mmkd_plugin[plot]'")


@pytest.fixture(scope='module')
def responses(networks):
    """What the student says of the test windows."""
    return predict(load_config(LEAF), networks[1])


def test_a_test_shows_subjects_and_classes_and_draws_its_matrix(networks, responses, mmkd, tmp_path):
    done = mmkd('test', LEAF, networks[1], '--work-dir', 'run', '--per', 'subject,class', '--plot')
    assert (done.returncode, done.stderr) == (0, '')
    predicted, labels = responses.logits.argmax(1), responses.labels
    classes = sorted({row[0] for row in rows_of(done.stdout, 'by class\n')})
    right = {row[0]: (int(row[1]), int(row[2])) for row in rows_of(done.stdout, 'by class\n')}
    expected = {name: (10, int(((labels == k) & (predicted == k)).sum())) for k, name in enumerate(classes)}
    assert right == expected
    subjects = rows_of(done.stdout, 'by subject\n')
    assert [row[0] for row in subjects] == [f'test_{number:02}' for number in range(40)]
    assert [float(row[3]) for row in subjects] == (100.0 * (predicted == labels)).tolist()
    assert json.loads(done.stdout.splitlines()[-1])['test']['accuracy'] == pytest.approx(responses.accuracy)
    assert 'confusion matrix: run/confusion.png' in done.stdout
    assert [path.name for path in (tmp_path / 'run').iterdir()] == ['confusion.png']
    assert (tmp_path / 'run' / 'confusion.png').read_bytes().startswith(b'\x89PNG')


def test_the_matrix_has_scikit_learn_s_counts_and_shares_of_rows():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 3, 200), rng.integers(0, 4, 200)
    true, predicted = np.append(true, [3] * 300), np.append(predicted, [3] * 299 + [0])
    counts = confusion_matrix(true, predicted, labels=range(4))
    (ax,) = draw_confusion(counts, ['sit', 'a$b$', 'walk', 'run']).axes
    cells = {text.get_position()[::-1]: text.get_text() for text in ax.texts}
    for place, count in np.ndenumerate(counts):
        share = f'{100 * count / counts[place[0]].sum():.0f} %'
        share = {(3, 0): '<1 %', (3, 3): '>99 %'}.get(place, share)
        assert cells[place] == (f'{count}\n{share}' if count else '0')
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        f'{name}  ({total})' for name, total in zip(['sit', r'a\$b\$', 'walk', 'run'], counts.sum(1))
    ]


@pytest.mark.parametrize(
    ('words', 'code', 'message'),
    [
        (['--per', 'subject,color'], 2, "argument --per: 'color' is none of subject, class"),
        (['--plot', '--corruptions', 'noise'], 1, '--plot shows the test on windows as they are, and cannot be given with'),
    ],
)
def test_a_test_refuses_what_it_cannot_show(words, code, message, mmkd):
    done = mmkd('test', LEAF, 'nowhere.pth', *words)
    assert (done.returncode, done.stdout) == (code, '')
    assert message in done.stderr


@pytest.fixture(scope='module')
def loader():
    return build_loader(load_config(LEAF), 'test')


def test_a_window_is_drawn_with_its_views(mmkd, tmp_path):
    done = mmkd('show', 'views', 'fam_kd', '--data', TINY, '--out', 'a.svg', '--window', 'test_07:0')
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout == 'window test_07:0, subject test_07, Standing\npicture: a.svg\n'
    words = set(re.findall(r'<text[^>]*>([^<]+)</text>', (tmp_path / 'a.svg').read_text()))
    assert not any(word.startswith('mtf') for word in words)  # which no network reads
    assert {*BasicMotions.channels, 'time (s)', 'gaf: GramianAngularField', 'pi: PersistenceImage'} <= words
    assert 'window test_07:0, subject test_07, Standing' in words
    refused(mmkd('show', 'views', LEAF, '--window', 40), 'the test split has 40 windows, 0 to 39; got 40')


def test_a_window_is_found_by_index_or_id(loader):
    assert [find_window(loader, 'test', text) for text in (None, '0', 'test_00:0', '39', 'test_39:0')] == [0, 0, 0, 39, 39]
    window = shown_window(loader, 7)
    recording = BasicMotions().read('test').recordings[7]
    np.testing.assert_array_equal(window.signal, recording.signal.T)  # as recorded, not normalised
    assert (window.subject, window.seconds, window.channels) == ('test_07', 10.0, BasicMotions.channels)


@pytest.mark.parametrize(
    ('window', 'message'),
    [
        ('-1', r'the test split has 40 windows, 0 to 39; got -1'),
        (
            'test_00:5',
            r"the test split has no window 'test_00:5'; windows of 'test_00' begin at 0, and indices go from 0 to 39",
        ),
        (
            'tst_00:0',
            r"the test split has no window 'tst_00:0'; did you mean 'test_00'\? IDs are like 'test_00:0', and indices .* 39",
        ),
    ],
)
def test_a_window_that_is_not_there_is_one_error(window, message, loader):
    with pytest.raises(ValueError, match=f'^{message}$'):
        find_window(loader, 'test', window)


def test_a_picture_that_cannot_be_written_is_refused_at_once(mmkd, tmp_path, monkeypatch):
    refused(mmkd('show', 'views', 'nowhere', '--out', 'a.jpg'), r'a\.jpg must end in \.png or \.svg, which says how .*')
    (tmp_path / 'b.svg').mkdir()
    refused(mmkd('show', 'views', 'nowhere', '--out', 'b.svg'), r'b\.svg is a folder, expected a file')
    monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
    sentence = r"a plot needs matplotlib, which is not installed\. Run: pip install 'mmkd_plugin\[plot\]'"
    refused(mmkd('show', 'views', 'nowhere'), sentence)
    refused(mmkd('test', 'nowhere', 'nowhere.pth', '--plot'), sentence)


@pytest.mark.parametrize('kind', ['Spectrogram', 'Scalogram'])
def test_frequencies_lie_on_their_axis(kind):
    """5 Hz in the first half of 4 s, 10 Hz in the second."""
    times = torch.arange(200) / 50
    signal = torch.sin(2 * torch.pi * torch.where(times < 2, 5, 10) * times)[None, None]
    preprocessor = ViewPreprocessor((1, 200), 2, dict(a=dict(type=kind)))
    window = ShownWindow('w:0', '', 'rest', signal[0].numpy(), ('x',), (), 50.0)
    view = image_view(preprocessor, 'a', preprocessor.make(signal, ['a'])['a'], window)
    left, right, low, high = view.extent
    assert (left, right, view.x) == (0.0, 4.0, 'time (s)')
    image = view.images[0]
    centres = low + (np.arange(len(image)) + 0.5) / len(image) * (high - low)
    if kind == 'Scalogram':
        assert view.y == 'log2 of frequency (Hz)'
        centres = 2**centres
    else:
        assert view.y == 'frequency (Hz)'
    columns = image[:, [len(image[0]) // 4, 3 * len(image[0]) // 4]]
    assert centres[columns.argmax(0)] == pytest.approx([5, 10], rel=0.12)


@pytest.mark.parametrize('convention', ['integral', 'sampled', 'persimage'])
def test_a_persistence_image_lies_on_its_axes(convention):
    """A dip to −2 that lasts until 1 is a point at a birth of −2 and a persistence of 3, whichever axis is which."""
    signal = torch.zeros(1, 1, 100)
    signal[..., 30:40], signal[..., 50:60], signal[..., 70:80] = -2, 1, -3  # the lower dip lives on for ever
    ranges = dict(birth_range=(-6.0, 6.0), persistence_range=(0.0, 6.0))
    encoder = dict(type='PersistenceImage', image_size=60, sigma=0.2, convention=convention, min_persistence=1.5, **ranges)
    preprocessor = ViewPreprocessor((1, 100), 2, dict(pi=encoder))
    assert isinstance(preprocessor.encoders['pi'], PersistenceImage)
    window = ShownWindow('w:0', '', 'rest', signal[0].numpy(), ('x',), (), 50.0)
    view = image_view(preprocessor, 'pi', preprocessor.make(signal, ['pi'])['pi'], window)
    left, right, low, high = view.extent
    row, column = np.unravel_index(view.images[0].argmax(), view.images[0].shape)
    places = {view.x: left + (column + 0.5) / 60 * (right - left), view.y: low + (row + 0.5) / 60 * (high - low)}
    assert places['birth (normalised)'] == pytest.approx(-2, abs=0.3)
    assert places['persistence (normalised)'] == pytest.approx(3, abs=0.3)


def test_errors_are_the_windows_that_are_confused_most(networks, responses, mmkd, tmp_path):
    done = mmkd('show', 'errors', LEAF, networks[1], '--work-dir', 'run', '--most', 2)
    assert (done.returncode, done.stderr) == (0, '')
    p, labels = responses.logits.double().softmax(1).numpy(), responses.labels.numpy()
    lead = p.max(1) - p[np.arange(40), labels]
    order = np.argsort(-lead, kind='stable')[:2]
    wrong = int((p.argmax(1) != labels).sum())
    assert f'{wrong} of 40 test windows are taken for another class; the 2 most sure' in done.stdout
    classes = ['Badminton', 'Running', 'Standing', 'Walking']
    assert [row[:4] for row in rows_of(done.stdout, f'{wrong} of 40')] == [
        [responses.window_ids[i], responses.samples[i].subject, classes[labels[i]], classes[p[i].argmax()]] for i in order
    ]
    assert [path.name for path in (tmp_path / 'run').rglob('*')] == ['show', 'errors.png']
    refused(mmkd('show', 'errors', LEAF, networks[1], '--most', 0), 'the number of windows must be at least 1, got 0')


def test_the_graph_names_everything_with_its_shape_and_needs_no_weights(without_pi, mmkd, tmp_path):
    done = mmkd('show', 'graph', LEAF, '--out', 'graph.svg', '--cfg-options', *without_pi)
    assert (done.returncode, done.stderr) == (0, '')
    text = (tmp_path / 'graph.svg').read_text()
    for words in (*TEXTS, 'reads gaf  6×32×32', 'WideResNet, 60,868 parameters', 'stages.2  64×25', 'logits  4'):
        assert f'>{words}</text>' in text, words
    assert [row[0] for row in rows_of(done.stdout, 'networks\n')] == ['sig', 'gaf', 'student']
    assert [row[0] for row in rows_of(done.stdout, 'transfers\n')] == ['aver', 'aver', 'fam_sig', 'fam_gaf']
    assert [path.name for path in tmp_path.iterdir()] == ['graph.svg']  # no teacher was trained


def test_the_graph_spells_schedules_and_what_a_fusion_reads():
    cfg = load_config('evidence_kd', data=TINY)
    cfg.model.transfers.kd.weight = dict(type='Ramp', value=0.5, over=0.1)
    graph = config_graph(cfg)
    networks = {each.name: each for each in graph.networks}
    assert (networks['fusion'].role, networks['fusion'].reads) == ('learner', 'student and image')
    transfers = {each.name: each for each in graph.transfers}
    assert transfers['kd'].weight == 'Ramp(value=0.5, over=0.1)'
    assert transfers['evidence'].sources == (('sig.stages.2', '192×25'), ('gaf.cam', '4×8×8'))
    assert (transfers['evidence'].target, transfers['evidence'].weighting) == (('fusion.attention', '25×8×8'), 'Uniform')


def test_maps_are_the_classifier_at_every_position(networks, loader):
    options, student = networks
    cfg = load_config(LEAF, cfg_options=dict(pair.split('=', 1) for pair in options if 'checkpoint' in pair))
    cfg.model.teachers.pop('pi')
    window, label, maps = activation_maps(cfg, student, window='3', label='Running')
    assert (window.window_id, window.label, label) == ('test_03:0', 'Standing', 'Running')
    assert [(each.name, each.role, each.values.shape) for each in maps] == [
        ('student', 'student', (100,)),
        ('sig', 'teacher', (100,)),
        ('gaf', 'teacher', (32, 32)),
    ]
    # By hand: the last stage has 25 positions, each in the middle of 4 samples.
    model = MODELS.build({**cfg.model, 'data_preprocessor': cfg.data_preprocessor, 'teachers': None, 'transfers': None}).eval()
    model.learners['student'].load_state_dict(torch.load(student, weights_only=True))
    with torch.no_grad():
        taps = model.learners['student'](loader.dataset[3]['inputs'][None])
    positions = (taps.classifier_weight[1] @ taps.stages[-1][0]).detach().numpy()
    np.testing.assert_allclose(maps[0].values, np.interp(np.arange(100), 1.5 + 4 * np.arange(25), positions), atol=1e-5)
    np.testing.assert_allclose(positions.mean() + taps.classifier_bias[1].item(), taps.logits[0, 1], atol=1e-5)


def test_maps_are_drawn_side_by_side(networks, mmkd, tmp_path):
    options, student = networks
    words = ['show', 'cam', LEAF, student, '--out', 'cam.svg', '--cfg-options', *options]
    done = mmkd(*words)
    assert (done.returncode, done.stderr) == (0, '')
    assert [row[:2] for row in rows_of(done.stdout, 'window test_00:0')] == [
        ['student', 'student'],
        ['sig', 'teacher'],
        ['gaf', 'teacher'],
    ]
    text = (tmp_path / 'cam.svg').read_text()
    assert all(f'{name} predicts' in text for name in ('student', 'teacher sig', 'teacher gaf'))
    assert 'contribution to the logit' in text
    refused(
        mmkd(*words[:6], '--class', 'Runing', *words[6:]),
        r"there is no class name 'Runing'; did you mean 'Running'\? The class names are Badminton, Running, Standing, Walking",
    )
    missing = ['--cfg-options', *options[:-1], 'teacher_dir=nowhere']
    refused(
        mmkd(*words[:6], *missing),
        r"teacher 'gaf' has not been trained: there is no result\.json in nowhere/gaf-\w+; the options must be those of .*=None",
    )


@pytest.mark.parametrize('space', [(6, 5), (5, 6), (7,), (8,)])
def test_a_filter_s_gain_is_that_of_the_published_one(space):
    """Of the filter over the whole plane only the Hermitian part matters, and the mean is in the middle of the picture."""
    module = FrequencyAttention((3, *space), (2, *space), cutoff=0.0)
    whole = np.random.default_rng(0).normal(size=(2, 3, 2, *space)).astype(np.float32)
    published = whole[0] + 1j * whole[1]
    module.load_published(torch.from_numpy(published))
    expected = np.zeros(space)
    for place in np.ndindex(*space):  # by hand: (G(k) + conj G(-k)) / 2
        mirror = tuple(-k % n for k, n in zip(place, space))
        expected[place] = np.abs(published[(..., *place)] + published[(..., *mirror)].conj()).mean() / 2 * 0.5  # gamma 1
    expected = np.fft.fftshift(expected) if len(space) == 2 else expected[: space[0] // 2 + 1]
    np.testing.assert_allclose(filter_gain(module), expected, rtol=1e-5)


def test_filters_are_those_that_the_run_began_with_and_those_that_it_has_learned(networks, mmkd, tmp_path):
    epoch = networks[1].with_name('epoch_1.pth')
    done = mmkd('show', 'filters', LEAF, epoch, '--out', 'filters.svg', '--cfg-options', 'model.transfers.fam_gaf=None')
    assert (done.returncode, done.stderr) == (0, '')
    filters = {each.name: each for each in frequency_filters(load_config(LEAF, cfg_options=TWO_FILTERS), epoch)}
    assert list(filters) == ['fam_sig from sig', 'fam_pi from pi']
    assert [row[:6] for row in rows_of(done.stdout, 'mean gain')] == [
        ['fam_sig', 'from', 'sig', '64', 'to', '192'],
        ['fam_pi', 'from', 'pi', '64', 'to', '64'],
    ]
    for name, each in filters.items():
        np.testing.assert_allclose(each.after, each.before * (2 if name == 'fam_sig from sig' else 1), rtol=1e-6)
    assert filters['fam_sig from sig'].axes()[0][[0, -1]].tolist() == [0, 0.96]  # of 25 samples
    assert all(f'{name}, {when}' in (tmp_path / 'filters.svg').read_text() for name in filters for when in ('before', 'after'))
    refused(mmkd('show', 'filters', LEAF, networks[1]), r'.*student\.pth holds no transfers, as an exported network; .*')
    refused(mmkd('show', 'filters', LEAF, epoch), r'checkpoint .*epoch_1\.pth does not fit the network: fam_gaf.*: missing; .*')
    refused(mmkd('show', 'filters', 'kd', epoch, '--data', TINY), 'no transfer of the config has a FrequencyAttention .*')
