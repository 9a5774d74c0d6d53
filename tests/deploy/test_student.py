"""Students loaded from their exported files alone."""

import numpy as np
import pytest
import torch
from helpers import bare_weights, tiny_config

from mmkd_plugin.apis import find_network, predict, train
from mmkd_plugin.apis.predict import build_loader
from mmkd_plugin.deploy import GOLDEN, Contract, Student, load_student
from mmkd_plugin.fileio import facts_hash, load_checkpoint

VIEWS = {'sig': 'student', 'gaf': 'gaf', 'pi': 'pi'}


@pytest.fixture(scope='module')
def run(tmp_path_factory, teacher_dir):
    """Config and result of a student that reads the signal, whose teachers read images."""
    cfg = tiny_config('aver_kd.py', tmp_path_factory.mktemp('run'), teacher_dir)
    return cfg, train(cfg)


def changed(path, folder, **entries):
    """The file with other entries, by dotted key."""
    checkpoint = torch.load(path, weights_only=True)
    for key, value in entries.items():
        *above, last = key.split('__')
        place = checkpoint
        for name in above:
            place = place[name]
        place[last] = value
    torch.save(checkpoint, folder / 'changed.pth')
    return folder / 'changed.pth'


@pytest.mark.parametrize('view', VIEWS)
def test_a_student_gives_the_logits_of_the_run_for_the_signal_as_recorded(run, view):
    cfg, result = run
    row = next(row for row in result['networks'] if row['name'] == VIEWS[view])
    student = load_student(row['checkpoint'])
    dataset = build_loader(cfg, 'test').dataset
    windows = dataset.data_list
    signal = torch.from_numpy(np.stack([windows.signal(index).T for index in range(len(windows))]))
    with torch.no_grad():
        logits = student(signal)
    teacher = None if view == 'sig' else view
    expected = predict(cfg, row['checkpoint'], teacher).logits
    assert torch.equal(logits, expected)
    assert student.contract.shape == tuple(signal.shape[1:])
    assert student.contract.classes == tuple(dataset.metainfo['classes'])


def test_the_file_holds_figures_and_golden_windows(run):
    _, result = run
    row = find_network(result)
    checkpoint = load_checkpoint(row['checkpoint'])
    contract = Contract.from_meta(checkpoint['meta'])
    assert contract.figures == {'val': row['val'], 'test': row['test']['best']}
    assert checkpoint['golden']['signal'].shape == (GOLDEN, *contract.shape)
    assert torch.allclose(load_student(row['checkpoint'])(checkpoint['golden']['signal']), checkpoint['golden']['logits'])


@pytest.mark.parametrize(
    ('entries', 'message'),
    [
        ({'meta__contract__classes': ['a', 'b', 'c', 'd']}, 'its contract has been changed since the student was exported'),
        ({'meta__contract__rate': 20.0}, 'its contract has been changed since the student was exported'),
        ({'meta__contract__rate': -1.0}, 'rate must be a number above 0, got -1.0'),
        ({'meta__contract_sha256': None}, 'its contract has been changed since the student was exported'),
        ({'state_dict__head.fc.bias': torch.ones(4)}, 'its weights are not those that the contract speaks of'),
        ({'golden__logits': torch.ones(GOLDEN, 4)}, 'the student no longer gives the logits that it was exported with'),
        ({'meta': {}}, 'has no contract, which says what the network reads: a file as student_best.pth is needed'),
    ],
)
def test_a_changed_file_is_refused(run, entries, message, tmp_path):
    path = changed(find_network(run[1])['checkpoint'], tmp_path, **entries)
    with pytest.raises(ValueError, match=f'^{path}') as error:
        load_student(path)
    assert message in str(error.value)


def test_a_file_without_a_network_of_its_own_is_refused(run, tmp_path):
    cfg, result = run
    with pytest.raises(ValueError, match='it holds no network that reads a signal on its own'):
        load_student(f'{cfg.work_dir}/epoch_1.pth')
    with pytest.raises(ValueError, match='has no contract'):
        load_student(bare_weights(find_network(result)['checkpoint'], tmp_path))
    with pytest.raises(FileNotFoundError, match='there is no checkpoint'):
        load_student(tmp_path / 'none.pth')


@pytest.mark.parametrize('part', ['view', 'network', 'normalizer'])
def test_a_file_that_names_code_of_others_runs_none(run, part, tmp_path):
    marker = tmp_path / 'marker'
    checkpoint = torch.load(find_network(run[1])['checkpoint'], weights_only=True)
    code = {'type': 'subprocess.call', 'args': ['touch', str(marker)]}
    facts = checkpoint['meta']['contract']
    facts[part] = {'view': code, 'network': {'backbone': code}, 'normalizer': [code]}[part]
    checkpoint['meta']['contract_sha256'] = facts_hash(facts)  # whoever plants it makes the file agree with itself
    torch.save(checkpoint, tmp_path / 'planted.pth')
    with pytest.raises(ValueError, match="the contract names 'subprocess.call', which is no registered class"):
        load_student(tmp_path / 'planted.pth')
    assert not marker.exists()


def test_a_normaliser_that_no_deployed_student_has_is_refused(run):
    contract = load_student(find_network(run[1])['checkpoint']).contract
    facts = {**contract.to_meta(), 'normalizer': [{'type': 'Corrupt', 'kind': 'noise', 'level': 0.1}]}
    with pytest.raises(
        ValueError, match='signals go through Corrupt; a deployed student can do no more than one NormalizeSignal'
    ):
        Student(Contract.from_meta({'contract': facts}))


def test_every_normaliser_is_part_of_the_student(run):
    contract = load_student(find_network(run[1])['checkpoint']).contract
    facts, signal = contract.to_meta(), torch.randn(2, *contract.shape)
    within = {**facts['statistics'], 'window_mean': [1.0] * 6, 'window_std': [2.0] * 6}
    for normalizer, expected in (
        ([], signal),
        ([{'type': 'NormalizeSignal', 'method': 'window_zscore'}], (signal - 1) / 2),
        ([{'type': 'NormalizeSignal', 'method': 'minmax', 'low': [-1.0] * 6, 'high': [3.0] * 6}], (signal + 1) / 4),
    ):
        student = Student(Contract.from_meta({'contract': {**facts, 'normalizer': normalizer, 'statistics': within}}))
        torch.testing.assert_close(student.encode(signal), expected)
