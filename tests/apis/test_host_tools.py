"""The host's own tools with our configs and checkpoints."""

import itertools
import json
import runpy
import sys
from pathlib import Path

import mmpretrain
import pytest
import torch
from mmengine.analysis import get_model_complexity_info
from mmengine.config import Config

from mmkd_plugin.apis import find_network, load_config, train
from mmkd_plugin.datasets import WindowDataset
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
        own = ['--cfg-options', f'experiment_name=host{next(RUNS)}'] if name == 'test.py' else []  # two may run in a second
        monkeypatch.setattr(sys, 'argv', [name, *map(str, words), *own])
        runpy.run_path(str(TOOLS / name), run_name='__main__')

    return run


@pytest.mark.parametrize('name', ['student_best.pth', 'epoch_1.pth'])
def test_the_host_s_test_gives_the_figure_of_the_run(name, trained, tool, tmp_path):
    leaf, row = trained
    checkpoint = Path(row['checkpoint']).with_name(name)
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
