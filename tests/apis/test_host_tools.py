"""The host's own tools with our configs and checkpoints."""

import itertools
import json
import re
import runpy
import sys
from pathlib import Path

import mmengine
import mmpretrain
import numpy as np
import pytest
import torch
from mmengine.analysis import get_model_complexity_info
from mmengine.config import Config

from mmkd_plugin.apis import find_network, load_config, train
from mmkd_plugin.datasets import BasicMotions, WindowDataset
from mmkd_plugin.deploy import load_student
from mmkd_plugin.fileio import load_checkpoint

TOOLS = Path(mmpretrain.__file__).parent / '.mim' / 'tools'

RUNS = itertools.count()


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """Runs one of the host's tools in this process."""
    if not TOOLS.is_dir():
        pytest.skip('this mmpretrain was installed without its tools')

    def run(name, *words):
        monkeypatch.chdir(tmp_path)
        runs = name in ('test.py', 'analysis_tools/confusion_matrix.py') and not str(words[1]).endswith('.pkl')
        own = ['--cfg-options', f'experiment_name=host{next(RUNS)}'] if runs else []  # two may run in a second
        monkeypatch.setattr(sys, 'argv', [name, *map(str, words), *own])
        runpy.run_path(str(TOOLS / name), run_name='__main__')

    return run


def test_the_host_s_test_gives_the_figure_of_the_run(trained, tool, tmp_path):
    leaf, row = trained
    checkpoint = Path(row['checkpoint']).with_name('epoch_1.pth')
    tool('test.py', leaf, checkpoint, '--work-dir', tmp_path, '--no-pin-memory', '--out', 'out.json', '--out-item', 'metrics')
    metrics = json.loads((tmp_path / 'out.json').read_text())
    assert metrics['accuracy/top1'] / 100 == pytest.approx(row['test']['best']['accuracy'])


def test_the_host_s_test_refuses_what_does_not_fit(trained, tool, tmp_path):
    leaf, row = trained
    export = load_checkpoint(row['checkpoint'])
    path = tmp_path / 'other.pth'
    words = ['test.py', leaf, path, '--work-dir', tmp_path, '--no-pin-memory']
    torch.save({**export, 'state_dict': {'backbone.conv1.weight': torch.ones(3)}}, path)
    with pytest.raises(ValueError, match="the checkpoint for learner 'student' does not fit the network: backbone"):
        tool(*words)
    export['meta']['contract']['classes'].reverse()
    torch.save(export, path)
    with pytest.raises(ValueError, match='other.pth was trained on the classes Walking, .*the same in another order'):
        tool(*words)


def test_a_run_loads_an_exported_student(trained, tmp_path):
    """The host alone would load nothing of it, and go on with random weights."""
    leaf, row = trained
    options = {'load_from': row['checkpoint'], 'optim_wrapper.optimizer.lr': 0.0, 'optim_wrapper.optimizer.weight_decay': 0.0}
    again = find_network(train(load_config(leaf, str(tmp_path / 'run'), cfg_options=options)))
    states = [load_checkpoint(each['checkpoint'])['state_dict'] for each in (row, again)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0] if 'running' not in key and 'num' not in key)


@pytest.fixture
def run_config(trained):
    """The config that the run has written, its work directory, and its log."""
    folder = Path(trained[1]['checkpoint']).parent
    (log,) = folder.glob('*/vis_data/scalars.json')
    return folder / 'leaf.py', folder / 'student_best.pth', log


def test_config_log_and_rates_are_shown(run_config, tool, tmp_path, capsys):
    config, _, log = run_config
    tool('misc/print_config.py', config)
    assert "type='Distiller'" in capsys.readouterr().out
    tool('analysis_tools/analyze_logs.py', 'cal_train_time', log, '--include-outliers')
    assert re.search(r'average iter time: \d+\.\d+ s/iter', capsys.readouterr().out)
    words = ['plot_curve', log, '--keys', 'loss_student', 'accuracy/top1', '--out', 'curve.png']
    tool('analysis_tools/analyze_logs.py', *words)
    tool('visualization/vis_scheduler.py', config, '-d', 32, '--save-path', 'rate.png', '--not-show')
    assert all((tmp_path / name).read_bytes().startswith(b'\x89PNG') for name in ('curve.png', 'rate.png'))


def test_confusions_are_counted_of_a_checkpoint_and_of_predictions(run_config, trained, tool, tmp_path, capsys):
    config, student, _ = run_config
    tool('analysis_tools/confusion_matrix.py', config, student, '--out', 'counts.pkl')
    counts = mmengine.load(tmp_path / 'counts.pkl')
    accuracy = trained[1]['test']['best']['accuracy']
    assert (counts.shape, int(counts.sum()), counts.diag().sum().item() / 40) == ((4, 4), 40, pytest.approx(accuracy))
    tool('test.py', config, student, '--work-dir', tmp_path, '--no-pin-memory', '--out', 'predictions.pkl')
    tool('analysis_tools/confusion_matrix.py', config, 'predictions.pkl', '--out', 'again.pkl')
    assert torch.equal(mmengine.load(tmp_path / 'again.pkl'), counts)
    capsys.readouterr()
    tool('analysis_tools/eval_metric.py', 'predictions.pkl', '--metric', 'type=Accuracy')
    assert float(capsys.readouterr().out.rpartition(':')[2].strip(' }\n')) / 100 == pytest.approx(accuracy)
    with pytest.raises(ValueError, match='Cannot load images from the dataset infos'):
        tool('analysis_tools/analyze_results.py', config, 'predictions.pkl', '--out-dir', 'results')


def test_embeddings_are_placed_and_a_checkpoint_is_published(run_config, tool, tmp_path):
    config, student, _ = run_config
    words = ['--checkpoint', student, '--vis-stage', 'neck', '--work-dir', tmp_path, '--perplexity', 5]
    tool('visualization/vis_tsne.py', config, *words)
    (features,) = tmp_path.glob('tsne_*/feat_0.npy')
    assert np.load(features).shape == (40, 64)
    tool('model_converters/publish_model.py', student, 'published.pth')
    (published,) = tmp_path.glob('published_*.pth')
    signal = torch.tensor(BasicMotions().read('test').recordings[0].signal.T[None])
    assert torch.equal(load_student(published)(signal), load_student(student)(signal))


@pytest.mark.parametrize(
    ('words', 'error', 'message'),
    [
        (['visualization/browse_dataset.py', '--not-show', '-n', 1], IndexError, 'list index out of range'),
        (['misc/verify_dataset.py'], AssertionError, 'only for datasets needs to load image from files'),
    ],
)
def test_tools_of_image_files_have_nothing_to_read(words, error, message, run_config, tool):
    with pytest.raises(error, match=message):
        tool(words[0], run_config[0], *words[1:])


def test_the_host_s_tools_find_our_model_and_data(trained, tool):
    leaf, row = trained
    with pytest.raises(
        ValueError, match=r'inputs must be signals \(N, 6, 100\), got \[1, 3, 224, 224\]; .*\(model, \(6, 100\)\)'
    ):
        tool('analysis_tools/get_flops.py', leaf)
    model = mmpretrain.get_model(Config.fromfile(leaf), row['checkpoint'])
    features = model.extract_feat(torch.zeros(2, 6, 100))
    assert [tuple(feature.shape) for feature in features] == [(2, 64)]
    assert model.backbone.out_indices == (0, 1, 2)
    with pytest.raises(ValueError, match="stage must be 'neck' or 'pre_logits', .*, got 'backbone'"):
        model.extract_feat(torch.zeros(2, 6, 100), 'backbone')
    model.forward = model.extract_feat
    assert get_model_complexity_info(model, (6, 100))['flops'] > 0
    dataset = mmpretrain.datasets.build_dataset(Config.fromfile(leaf).test_dataloader.dataset)
    assert isinstance(dataset, WindowDataset)
    assert dataset.metainfo['classes'] == dataset.CLASSES
