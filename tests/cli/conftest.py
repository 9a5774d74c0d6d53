"""Commands are called in this process; that a process of their own does the same is one test per command (test_main)."""

import numpy as np
import pytest
from helpers import call, write_student

from mmkd_plugin.datasets import BasicMotions
from mmkd_plugin.deploy import Contract


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
