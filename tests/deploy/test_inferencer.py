"""Students asked about signals: windows, rates, votes, and the same responses as the test of a run gives."""

import json
import logging
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers import CONFIGS, call, write_student
from mmengine.infer import BaseInferencer
from mmengine.logging import MMLogger
from mmpretrain.structures import DataSample

from mmkd_plugin import SignalInferencer
from mmkd_plugin.apis import load_config, predict
from mmkd_plugin.apis.predict import build_loader
from mmkd_plugin.deploy import Contract, format_decisions, load_student
from mmkd_plugin.deploy.decisions import Decision, average_votes
from mmkd_plugin.registry import INFERENCERS


@pytest.fixture(scope='module')
def inferencer(student_file):
    return SignalInferencer(student_file, device='cpu')


def shares(rows):
    return np.array([list(row['probabilities'].values()) for row in rows])


@pytest.fixture
def warned():
    """Gives the warnings since it was asked last; the host's logger hands none to pytest's."""
    messages = []

    class Keep(logging.Handler):
        def emit(self, record):
            messages.append(record.getMessage())

    handler, logger = Keep(level=logging.WARNING), MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield lambda: [messages.pop(0) for _ in range(len(messages))]
    logger.removeHandler(handler)


def test_the_package_stays_light_and_knows_its_inferencer():
    code = (
        'import sys, mmkd_plugin; print({"torch", "numpy"} & sys.modules.keys(), "SignalInferencer" in mmkd_plugin.__all__)\n'
        'try: mmkd_plugin.Signals\nexcept AttributeError as error: print(error)'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout == "set() True\nmodule 'mmkd_plugin' has no attribute 'Signals'\n"


def test_it_is_the_host_s_kind_and_built_by_its_registry(student_file):
    built = INFERENCERS.build(dict(type='SignalInferencer', weights=str(student_file), device='cpu'))
    assert isinstance(built, BaseInferencer)
    assert not built.show_progress  # no terminal


def test_responses_are_those_of_a_run_s_test(tmp_path, store_dir):
    """The watch data's test subjects, whose recordings have one label each."""
    cfg = load_config(CONFIGS / 'supervised/student.py', str(tmp_path))
    cfg.test_dataloader.dataset.store = str(store_dir)
    loader = build_loader(cfg, 'test')
    dataset = loader.dataset
    path = write_student(tmp_path / 'student_best.pth', Contract.from_dataset(dataset, cfg, 'sig'), dataset)
    tested = [r for r in dataset.data.recordings if r.subject in dataset.subjects['test']]
    expected = predict(cfg, path)
    rows = SignalInferencer(path, device='cpu')([r.signal for r in tested], batch_size=loader.batch_size)
    assert np.array_equal(shares(rows), expected.logits.softmax(1).double().numpy())
    samples = [(f'input {tested.index(r)}', s.start / 50) for s in expected.samples for r in tested if r.name == s.recording]
    assert [(row['source'], row['start']) for row in rows] == samples


def test_windows_lie_on_the_contract_s_grid(inferencer, swing, warned):
    signal = swing(2.5)  # 125 samples: windows at 0, 25, 50, 75
    rows = inferencer(signal)
    assert [(row['start'], row['end']) for row in rows] == [(0, 1), (0.5, 1.5), (1, 2), (1.5, 2.5)]
    assert warned() == []
    with torch.no_grad():
        logits = inferencer.model(torch.from_numpy(np.stack([signal[s : s + 50].T for s in (0, 25, 50, 75)])))
    assert np.array_equal(shares(rows), logits.softmax(1).double().numpy())
    row = rows[0]
    assert list(row) == ['source', 'recording', 'start', 'end', 'class', 'probability', 'probabilities']
    assert row['class'] == max(row['probabilities'], key=row['probabilities'].get)
    assert row['probability'] == row['probabilities'][row['class']]
    assert [row['start'] for row in inferencer(signal, hop=40)] == [0, 0.8]
    assert warned() == ['samples after the last window are left out, at most 35 (0.70 s): input 0']


def test_batches_and_lists_change_nothing(inferencer, swing):
    signals = [swing(2, seed=seed) for seed in range(3)]
    alone = [row for signal in signals for row in inferencer(signal)]
    rows = inferencer(signals, batch_size=2)
    assert [row['source'] for row in rows] == ['input 0'] * 3 + ['input 1'] * 3 + ['input 2'] * 3
    assert np.allclose(shares(rows), shares(alone), atol=1e-6)
    windows = np.stack([signal[:50] for signal in signals])  # (N, T, C)
    rows = inferencer(windows)
    assert [row['recording'] for row in rows] == ['0', '1', '2']
    assert np.allclose(shares(rows), shares(alone[::3]), atol=1e-6)
    assert np.allclose(shares(inferencer(torch.from_numpy(windows))), shares(rows))


def test_votes_are_means_of_the_windows_that_cover_a_stretch(inferencer, swing):
    signal = swing(2.5)
    each, mean = shares(inferencer(signal)), inferencer(signal, vote='mean')
    assert [(row['start'], row['end']) for row in mean] == [(0, 0.5), (0.5, 1), (1, 1.5), (1.5, 2), (2, 2.5)]
    expected = [each[0], each[:2].mean(0), each[1:3].mean(0), each[2:4].mean(0), each[3]]
    assert np.allclose(shares(mean), expected, atol=1e-7)
    assert np.allclose(shares(inferencer(signal, hop=50, vote='mean')), shares(inferencer(signal, hop=50)))


def test_stretches_that_no_window_covers_are_none():
    chance = np.array([0.25, 0.75])
    windows = [Decision('a', '', 0, 1, chance), Decision('a', '', 3, 4, 1 - chance), Decision('b', '', 0, 1, chance)]
    assert [(d.source, d.start, d.end, *d.probabilities) for d in average_votes(windows)] == [
        ('a', 0, 1, 0.25, 0.75),
        ('a', 3, 4, 0.75, 0.25),
        ('b', 0, 1, 0.25, 0.75),
    ]


@pytest.mark.parametrize(('rate', 'lost'), [(100, ''), (25, '; what is faster than 12.5 Hz is not in it'), (64, '')])
def test_other_rates_are_put_on_the_contract_s_grid(rate, lost, inferencer, swing, warned):
    exact = inferencer(swing(4))
    rows = inferencer(swing(4, rate=rate), rate=rate)
    assert [row['start'] for row in rows] == [row['start'] for row in exact][: len(rows)]
    assert len(rows) >= len(exact) - 1
    assert np.abs(shares(rows) - shares(exact)[: len(rows)]).max() < 0.01
    (note,) = [line for line in warned() if 'resampled' in line]
    assert note == f'resampled from {rate} Hz to the 50 Hz of the student{lost}: input 0'


def test_what_is_too_fast_for_the_grid_is_damped_and_folds_back_weakly(contract):
    from mmkd_plugin.deploy.inputs import read_source

    t = np.arange(400) / 100
    for tone, left in ((1, 1.0), (10, 0.905), (40, 0.095), (50, 0.0)):  # Hz; 40 Hz is seen as 10 Hz at 50 Hz
        signal = np.tile(np.sin(2 * np.pi * tone * t)[:, None], (1, 6))
        (source,) = read_source(signal, contract, rate=100)
        samples = source.recordings[0][1]
        assert samples.shape == (200, 6)
        # At twice the rate the mean over a step is (1, 2, 1) / 4: of a tone, (1 + cos(2 π tone / 100)) / 2 is left.
        assert np.sqrt(2) * samples[2:-3].std() == pytest.approx(left, abs=0.02)


def test_data_samples_of_the_host(inferencer, swing):
    rows, samples = inferencer(swing(2)), inferencer(swing(2), return_datasamples=True)
    assert all(isinstance(sample, DataSample) for sample in samples)
    assert [(s.start, s.end, s.source) for s in samples] == [(r['start'], r['end'], r['source']) for r in rows]
    assert np.array_equal(torch.stack([s.pred_score for s in samples]).double().numpy(), shares(rows))
    assert [inferencer.contract.classes[s.pred_label.item()] for s in samples] == [r['class'] for r in rows]


def test_drift_is_a_warning_and_with_strict_an_error(inferencer, swing, warned):
    signal = swing(4) * [9.81, 9.81, 9.81, 1, 1, 1]
    rows = inferencer(signal)
    (sentence,) = warned()
    assert sentence.startswith('input 0: acc_x, acc_y, acc_z: the acceleration has a size of ')
    assert len(rows) == 7
    with pytest.raises(ValueError, match='^input 0: acc_x, acc_y, acc_z: .* as in m/s², and the student has learned from g'):
        inferencer(signal, strict=True)
    assert len(inferencer(swing(4), strict=True)) == 7


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(vote='max'), "vote must be 'mean' or None, got 'max'"),
        (dict(hop=0), 'hop must be a whole number, at least 1, got 0'),
        (dict(hop=2.5), 'hop must be a whole number, at least 1, got 2.5'),
        (dict(batch_size=True), 'batch_size must be a whole number, at least 1, got True'),
        (dict(rate=0), 'rate must be a number above 0, got 0'),
        (dict(rate=float('nan')), 'rate must be a number above 0, got nan'),
    ],
)
def test_options_out_of_range_are_refused(options, message, inferencer, swing):
    with pytest.raises(ValueError, match=message):
        inferencer(swing(2), **options)


def test_too_little_and_nothing_are_refused(inferencer, swing):
    message = 'input 1 has 49 samples at 50 Hz, expected 50 or more: the student reads windows of 1 s'
    with pytest.raises(ValueError, match=message):
        inferencer([swing(2), swing(1)[:49]])
    with pytest.raises(ValueError, match='input 0 has 30 samples at 50 Hz in its longest recording, expected 50'):
        inferencer(np.zeros((2, 30, 6)))
    with pytest.raises(ValueError, match=r'input 0, window 0: the signal has shape \(0, 6\), expected \(T, 6\)'):
        inferencer(np.zeros((2, 0, 6)))
    with pytest.raises(ValueError, match='there is no input to classify'):
        inferencer([])


def test_a_device_that_is_not_here_is_refused(student_file):
    for device in ('quantum', 'cuda:63'):
        with pytest.raises(ValueError, match=f"device must be one that torch has here, such as 'cpu'; got '{device}': "):
            SignalInferencer(student_file, device=device)


def test_formats_hold_the_same(inferencer, swing):
    rows = inferencer(swing(2))
    table = format_decisions(rows).splitlines()
    assert table[0].split() == ['source', 'start', 'end', 'class', 'probability']
    assert len(table) == 4
    assert table[2].split() == ['input', '0', '0.50', 's', '1.50', 's', rows[1]['class'], f'{rows[1]["probability"]:.1%}']
    lines = format_decisions(rows, 'csv').splitlines()
    assert lines[0] == 'source,recording,start,end,class,probability,p(rest),p(walk),p(run)'
    values = lines[2].split(',')
    assert values[:4] == ['input 0', '', '0.5', '1.5']
    assert np.allclose([float(value) for value in values[6:]], shares(rows)[1], atol=1e-6)
    assert json.loads(format_decisions(rows, 'json')) == rows
    assert format_decisions([], 'csv') == 'source,recording,start,end,class,probability\n'
    with pytest.raises(ValueError, match="the format must be one of table, csv, json, got 'xml'"):
        format_decisions(rows, 'xml')


def test_the_student_itself_is_what_load_student_gives(inferencer, student_file):
    golden = torch.randn(3, 6, 50)
    with torch.no_grad():
        assert torch.equal(inferencer.model(golden), load_student(student_file)(golden))


def test_the_page_s_examples_run(student_file, swing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'student_best.pth').write_bytes(student_file.read_bytes())
    names = 'acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z'
    (tmp_path / 'recordings').mkdir()
    (tmp_path / 'recordings' / 'recordings.yml').write_text(f'channels: [{names}]\nrate: 50\n')
    for path in ('monday.csv', 'tuesday.csv', 'recordings/a.csv'):
        np.savetxt(tmp_path / path, swing(2), delimiter=',', header=names, comments='')
    page = (CONFIGS.parent / 'docs' / 'deploy.md').read_text()
    page = page[page.index('## Contract') : page.index('## Demo')]
    blocks = re.findall(r'```python\n(.*?)```', page, re.DOTALL)
    for block in blocks:
        exec(block, {'signal': torch.from_numpy(swing(1).T[None]), 'sensor': np.split(swing(3), 10)})
    commands = re.findall(r'^    mmkd (.*?)(?: +#.*)?$', page, re.MULTILINE)
    for words in commands:
        done = call(*words.replace('.parquet', '.csv').split(), folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, '')
    assert (len(blocks), len(commands)) == (3, 4)
    assert (tmp_path / 'decisions.csv').is_file()
