"""Files of students that somebody else has made, hashes and all: one sentence with the file's name."""

import dataclasses
import threading

import pytest
import torch
from torch import nn

from mmkd_plugin.deploy import Contract, load_student
from mmkd_plugin.deploy.bounds import bounded_by
from mmkd_plugin.fileio import facts_hash, load_checkpoint, state_fingerprint

SIGNAL, LOGITS = torch.zeros(2, 6, 50), torch.zeros(2, 3)
GOLDEN = {
    'no logits': {'signal': SIGNAL},
    'no signal': {'logits': LOGITS},
    'an axis more': {'signal': SIGNAL[None], 'logits': LOGITS},
    'other channels': {'signal': SIGNAL[:, :2], 'logits': LOGITS},
    'double precision': {'signal': SIGNAL.double(), 'logits': LOGITS},
    'no tensors': {'signal': [0.0], 'logits': LOGITS},
    'no windows': {'signal': SIGNAL[:0], 'logits': LOGITS[:0]},
    'one output less': {'signal': SIGNAL, 'logits': LOGITS[:1]},
}


@pytest.mark.parametrize('name', GOLDEN)
def test_golden_windows_that_are_none_are_refused(name, student_file, tmp_path):
    path = tmp_path / 'student.pth'
    torch.save({**load_checkpoint(student_file), 'golden': GOLDEN[name]}, path)
    with pytest.raises(ValueError, match=f'^{path}: its golden windows are not those of its contract$'):
        load_student(path)


@pytest.mark.parametrize('field', ['view', 'network', 'normalizer'])
def test_settings_that_are_a_tensor_are_refused(field, student_file, tmp_path):
    path, checkpoint = tmp_path / 'student.pth', load_checkpoint(student_file)
    checkpoint['meta']['contract'][field] = SIGNAL
    torch.save(checkpoint, path)
    with pytest.raises(
        ValueError, match=rf'^{path}: the contract in the checkpoint: {field} must have settings as dict\(type='
    ):
        load_student(path)


@pytest.mark.parametrize(
    ('fields', 'message'),
    [
        (
            dict(backbone={'depth': 6 * 10**9 + 4}),
            r'network: backbone: it is far larger than the \d+ tensors of weights in the file',
        ),
        (
            dict(backbone={'widen_factor': 10**4}),
            r'network: backbone: it is far larger than the \d+ tensors of weights in the file',
        ),
        (dict(window=10**11, golden={'signal': SIGNAL, 'logits': LOGITS}), 'its golden windows are not those of its contract'),
        (
            dict(window=10**11),
            r'the student reads windows of 6 channel\(s\) and 100,000,000,000 samples: more than 16,777,216 numbers',
        ),
        (
            dict(channels=10**4, window=2000),
            r'the student reads windows of 10,000 channel\(s\) and 2,000 samples: more than 16,777,216 numbers',
        ),
        *[
            (
                dict(view=view),
                rf'the student reads {view["type"]} by {count} of windows of 6 channel\(s\) and 50 samples: more than 268,435,456 numbers',
            )
            for view, count in [
                (dict(type='PersistenceImage', image_size=10**6), '1,000,000'),
                (dict(type='RecurrencePlot', dimension=10**7), '10,000,000'),
                (dict(type='MarkovTransitionField', bins=10**9), '1,000,000,000'),
                (dict(type='Spectrogram', segment=10**8), '100,000,000'),
                (dict(type='Scalogram', scales=[2.0] * 7000), '7,000'),
            ]
        ],
        (
            dict(view=dict(type='GramianAngularField'), window=10**6),
            r'the student reads GramianAngularField by 64 of windows of 6 channel\(s\) and 1,000,000 samples: more than 268,435,456 numbers',
        ),
    ],
)
def test_a_file_does_not_ask_for_more_than_its_weights_need(fields, message, student_file, tmp_path):
    path, checkpoint = tmp_path / 'student.pth', load_checkpoint(student_file)
    contract = Contract.from_meta(checkpoint['meta'])
    fields = dict(fields)
    golden, channels = fields.pop('golden', None), fields.pop('channels', None)
    if channels:
        fields['channels'] = tuple(map(str, range(channels)))
        fields['statistics'] = dict.fromkeys(contract.statistics, (0.5,) * channels)
    network = {**contract.network, 'backbone': {**contract.network['backbone'], **fields.pop('backbone', {})}}
    facts = dataclasses.replace(contract, network=network, **fields).to_meta()
    torch.save({**checkpoint, 'golden': golden, 'meta': {'contract': facts, 'contract_sha256': facts_hash(facts)}}, path)
    with pytest.raises(ValueError, match=f'^{path}: {message}$'):
        load_student(path)


@pytest.mark.parametrize('change', [{'backbone': 0.5}, {'backbone': {'type': 'WideResNet', 'depth': 'sixteen'}}], ids=str)
def test_a_network_that_cannot_be_built_is_refused(change, student_file, tmp_path):
    path, checkpoint = tmp_path / 'student.pth', load_checkpoint(student_file)
    contract = Contract.from_meta(checkpoint['meta'])
    facts = dataclasses.replace(contract, network={**contract.network, **change}).to_meta()
    checkpoint['meta'] = {'contract': facts, 'contract_sha256': facts_hash(facts)}
    torch.save(checkpoint, path)
    with pytest.raises(ValueError, match=f'^{path}: '):
        load_student(path)


@pytest.mark.parametrize('golden', [True, False])
def test_a_network_without_a_logit_of_each_class_is_refused(golden, student_file, tmp_path):
    path, checkpoint = tmp_path / 'student.pth', load_checkpoint(student_file)
    contract = Contract.from_meta(checkpoint['meta'])
    state = {name: value for name, value in checkpoint['state_dict'].items() if not name.startswith('head.')}
    network = {**contract.network, 'head': dict(type='ClsHead')}  # features as they come
    facts = dataclasses.replace(contract, network=network, weights=state_fingerprint(state)).to_meta()
    changed = {**checkpoint, 'state_dict': state, 'meta': {'contract': facts, 'contract_sha256': facts_hash(facts)}}
    torch.save(changed if golden else {**changed, 'golden': {}}, path)
    with pytest.raises(
        ValueError, match=rf'^{path}: its network gives \(\d+,\) outputs of a window, and the contract names 3 cl'
    ):
        load_student(path)


def test_what_another_thread_builds_meanwhile_is_not_counted():
    with bounded_by({}):
        other = threading.Thread(target=lambda: built.append(nn.Linear(2000, 2000)))
        built = []
        other.start()
        other.join()
        with pytest.raises(ValueError, match='^it is far larger than the 0 tensors of weights in the file$'):
            nn.Linear(2000, 2000)
    assert len(built) == 1
