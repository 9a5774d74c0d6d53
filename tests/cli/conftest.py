"""Commands are called in this process; that a process of their own does the same is one test per command (test_main)."""

import pytest
import torch
from helpers import CONFIGS, call

from mmkd_plugin.apis import load_config
from mmkd_plugin.registry import MODELS


@pytest.fixture
def mmkd(monkeypatch, tmp_path):
    """Calls a command in the test's folder, and gives its exit code and what it has printed."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: call(*words, folder=tmp_path)


@pytest.fixture(scope='session')
def without_pi():
    """Options that leave the teacher of persistence images out."""
    return ['model.teachers.pi=None', 'model.transfers.fam_pi=None', 'model.transfers.aver.source=[sig.logits,gaf.logits]']


@pytest.fixture(scope='session')
def networks(tmp_path_factory, without_pi):
    """Options and weights of a student and two teachers that have learned nothing: pictures do not ask what they know."""
    folder = tmp_path_factory.mktemp('networks')
    cfg = load_config(CONFIGS / 'basic_motions' / 'fam_kd.py', cfg_options={'model.transfers.fam_gaf': None})
    torch.manual_seed(0)
    model = MODELS.build({**cfg.model, 'data_preprocessor': cfg.data_preprocessor})
    for name, network in [*model.learners.items(), *model.teachers.items()]:
        torch.save(network.state_dict(), folder / f'{name}.pth')
    transfers = {f'transfers.{name}': value.clone() for name, value in model.transfers.state_dict().items()}
    transfers['transfers.fam_sig.connectors.sig.1.gamma1'] *= 2
    torch.save(dict(state_dict=transfers, meta=dict(seed=0)), folder / 'epoch_1.pth')
    options = [f'model.teachers.{name}.checkpoint={folder}/{name}.pth' for name in ('sig', 'gaf')]
    return [*without_pi, *options], folder / 'student.pth'
