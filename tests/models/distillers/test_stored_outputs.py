"""Teachers whose outputs lie in a file, beside the networks that gave them."""

import copy

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from small_distiller import WRN, batch, config, losses

from mmkd_plugin.registry import MODELS

READING = dict(
    kd=dict(type='ResponseTransfer', source='expert.logits', target='student.logits'),
    relation=dict(type='RelationTransfer', relation='distance', source='expert.embedding', target='student.embedding'),
    hint=dict(
        type='FeatureTransfer',
        source='expert.stages.1',
        target='student.stages.1',
        connector=dict(type='ConvConnector'),
        weight=2.0,
    ),
)


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        yield


def named_batch():
    data = batch()
    for row, sample in enumerate(data['data_samples']):
        sample.set_metainfo(dict(window_id=f'walk:{10 * row}'))
    return data


def distiller(teacher, transfers=READING):
    torch.manual_seed(3)
    transfers = {'fam': None, 'kd': None, **copy.deepcopy(transfers)}
    return MODELS.build(config(teachers=dict(sig=None, gaf=None, expert=teacher), transfers=transfers))


@pytest.fixture
def network():
    """A distiller whose teacher is a network."""
    return distiller(dict(view='sig', network=WRN))


@pytest.fixture
def taps(network):
    """What the teacher gives for the windows of :func:`named_batch`."""
    with torch.no_grad():
        found = network.teachers['expert'](batch()['inputs'])
    return {'logits': found.logits, 'embedding': found.embedding, 'stages.1': found.stages[1]}


def write(folder, taps, **more):
    more = more or {'window_ids': [f'walk:{10 * row}' for row in range(5)]}
    np.savez(folder / 'expert.npz', **{name: np.asarray(values) for name, values in {**taps, **more}.items()})
    return dict(outputs=str(folder / 'expert.npz'))


def same_learner(model, network):
    model.learners.load_state_dict(network.learners.state_dict())
    model.transfers.load_state_dict(network.transfers.state_dict())
    return model


def test_transfers_read_from_a_file_what_they_read_of_the_network(network, taps, tmp_path):
    model = same_learner(distiller(write(tmp_path, taps)), network)
    expected, terms = losses(network, named_batch()), losses(model, named_batch())
    assert terms.keys() == expected.keys()
    assert all(value > 0 for value in expected.values())
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value)
    assert list(model.teachers['expert'].state_dict()) == []
    assert {name.split('.')[0] for name in model.state_dict()} == {'learners', 'transfers'}


def test_the_mean_of_all_instants_in_a_window_counts(network, taps, tmp_path):
    """Two outputs in every window, at 20 Hz and 40 samples: theirs differ by opposite amounts from those of the network."""
    noise = {name: torch.randn_like(values) for name, values in taps.items()}
    twice = {name: torch.cat([values + noise[name], values - noise[name]]) for name, values in taps.items()}
    recordings = [f'walk{row}' for row in range(5)] * 2
    path = write(tmp_path, twice, recordings=recordings, times=[0.1] * 5 + [1.9] * 5)
    model = same_learner(distiller({**path, 'rate': 20.0}), network)
    data = named_batch()
    for row, sample in enumerate(data['data_samples']):
        sample.set_metainfo(dict(window_id=f'walk{row}:0'))
    for name, value in losses(network, data).items():
        torch.testing.assert_close(losses(model, data)[name], value, rtol=1e-4, atol=1e-5)


def test_a_detector_scores_by_a_file_as_by_the_network(network, taps, tmp_path):
    settings = dict(type='AnomalyDetector', transfers={'fam': None, 'kd': None, **copy.deepcopy(READING)})
    teachers = [dict(view='sig', network=WRN), write(tmp_path, taps)]
    detectors = [MODELS.build(config(teachers=dict(sig=None, gaf=None, expert=entry), **settings)) for entry in teachers]
    for detector in detectors:
        same_learner(detector, network)
    detectors[0].teachers['expert'].load_state_dict(network.teachers['expert'].state_dict())
    scores = [detector.eval().respond(named_batch())['anomaly_score'] for detector in detectors]
    torch.testing.assert_close(*scores)


@pytest.mark.parametrize(
    ('source', 'message'),
    [
        ('expert.stages.0', "network 'expert' offers no stages.0: its outputs are stages.1, embedding, logits"),
        ('expert.stages', "network 'expert' offers no stages.0: its outputs are stages.1, embedding, logits"),
        ('expert.cam', "network 'expert' offers no cam: its classifier is not in "),
    ],
)
def test_a_tap_that_the_file_lacks_is_refused_by_name(taps, tmp_path, source, message):
    transfers = dict(hint=dict(type='FeatureTransfer', source=source, target='student.' + source.partition('.')[2]))
    with pytest.raises(ValueError, match="^transfer 'hint': address") as error:
        distiller(write(tmp_path, taps), transfers)
    assert message in str(error.value)


def test_logits_alone_have_no_stages(taps, tmp_path):
    path = write(tmp_path, {'logits': taps['logits']})
    with pytest.raises(ValueError, match="network 'expert' offers no stages: its outputs are logits"):
        distiller(path, dict(hint=dict(type='FeatureTransfer', source='expert.stages.0', target='student.stages.0')))
    with pytest.raises(ValueError, match="network 'expert' offers no embedding: its outputs are logits"):
        distiller(path, dict(relation=READING['relation']))


def test_a_window_without_an_output_and_one_without_a_name_are_refused(taps, tmp_path):
    model, data = distiller(write(tmp_path, taps)), named_batch()
    with pytest.raises(
        ValueError, match="view 'outputs of expert' is looked up by the names of windows, and the batch has none"
    ):
        losses(model, batch())
    data['data_samples'][3].set_metainfo(dict(window_id='run:0'))
    with pytest.raises(ValueError, match='expert.npz has no output of the window run:0'):
        losses(model, data)


@pytest.mark.parametrize(
    ('fields', 'message'),
    [
        (
            dict(view='sig', network=WRN),
            'outputs stand in the place of a network, and view, network is given too; _delete_=True',
        ),
        (dict(config='configs/teachers/sig.py'), 'outputs stand in the place of a network, and config is given too'),
        (dict(use='last'), "outputs stand in the place of a network, and use='last' is given too"),
        (dict(rate=0), 'rate must be a number above 0, got 0'),
        (dict(outputs=3), 'outputs must be a path, got 3'),
        (dict(outputs=None, view='sig', network=WRN, rate=20.0), 'rate belongs to outputs, which are not given'),
    ],
)
def test_fields_that_do_not_go_together_are_refused(taps, tmp_path, fields, message):
    with pytest.raises(ValueError, match="^teacher 'expert': ") as error:
        distiller({**write(tmp_path, taps), **fields})
    assert message in str(error.value)


def test_a_file_of_another_number_of_classes_or_none_is_refused(taps, tmp_path):
    with pytest.raises(ValueError, match=r"^teacher 'expert': .*expert.npz: logits are of 3 classes, expected 4"):
        distiller(write(tmp_path, {'logits': taps['logits'][:, :3]}), dict(kd=READING['kd']))
    with pytest.raises(FileNotFoundError, match='there is no file of outputs none.npz'):
        distiller(dict(outputs='none.npz'))
    with pytest.raises(ValueError, match="^teacher 'expert': .*: logits missing"):
        distiller(write(tmp_path, {'embedding': taps['embedding']}))
