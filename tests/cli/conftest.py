"""Commands are called in this process; that a process of their own does the same is one test per command (test_main)."""

import numpy as np
import pytest
import torch
from helpers import CONFIGS, call, write_student

from mmkd_plugin.apis import load_config
from mmkd_plugin.datasets import BasicMotions
from mmkd_plugin.deploy import Contract
from mmkd_plugin.registry import MODELS


@pytest.fixture
def mmkd(monkeypatch, tmp_path):
    """Calls a command in the test's folder, and gives its exit code and what it has printed."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: call(*words, folder=tmp_path)


@pytest.fixture(scope='module')  # a warning is shown once in a process: each file has its own
def replayed(tmp_path_factory):
    """A student of BasicMotions' sensors, and a table of 25 s with a gap."""
    folder = tmp_path_factory.mktemp('stream')
    signal = np.concatenate([r.signal for r in BasicMotions().read('train').recordings]).astype(np.float64)
    contract = Contract(
        classes=('rest', 'walk'),
        channels=BasicMotions.channels,
        rate=10.0,
        window=20,
        hop=10,
        statistics={name: getattr(signal, name)(0).tolist() for name in ('mean', 'std', 'min', 'max')},
        subjects=('x',),
    )
    write_student(folder / 'student_best.pth', contract)
    times = np.arange(250) / 10
    times[100:] += 60
    table = np.column_stack([times, signal[1000:1250]])
    np.savetxt(folder / 'a.csv', table, delimiter=',', header=f'time,{",".join(contract.channels)}', comments='')
    np.savetxt(folder / 'short.csv', table[:19], delimiter=',', header=f'time,{",".join(contract.channels)}', comments='')
    return folder


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
