"""A module from elsewhere as a teacher: trained by its own config on first use, kept, tested, and never run on a file's word."""

import pytest
import torch
from helpers import CONFIGS, tiny_config

from mmkd_plugin.apis import check_config, predict, train, verify_caches
from mmkd_plugin.deploy import load_student
from mmkd_plugin.fileio import ConfigError, load_checkpoint, read_predictions

NETWORKS = """
from torch import nn


def tiny_sensor(sample_shape, num_classes, width=4):
    body = nn.Sequential(nn.Conv1d(sample_shape[0], width, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    return nn.Sequential(body, nn.Linear(width, num_classes))
"""
TEACHER = f"""
_base_ = ['{CONFIGS / 'teachers/sig.py'}']
custom_imports = dict(imports=['networks_of_mine'])
network = dict(type='ExternalNetwork', factory='networks_of_mine:tiny_sensor', taps=dict(embedding='0', stages=['0.1']))
model = dict(learners=dict(sig=dict(network=dict(_delete_=True, **network))))
"""


@pytest.fixture(scope='module')
def leaf(tmp_path_factory):
    folder = tmp_path_factory.mktemp('elsewhere')
    (folder / 'networks_of_mine.py').write_text(NETWORKS)
    (folder / 'teacher.py').write_text(TEACHER)
    entry = f"sig=dict(config='{folder / 'teacher.py'}')"
    (folder / 'leaf.py').write_text(f"_base_ = ['{CONFIGS / 'kd.py'}']\nmodel = dict(teachers=dict({entry}))\n")
    return folder / 'leaf.py'


@pytest.fixture(scope='module')
def finished(leaf, tmp_path_factory):
    folder = tmp_path_factory.mktemp('run')
    cfg = tiny_config(leaf, folder / 'run', folder / 'teachers')
    return cfg, train(cfg)


def test_the_teacher_is_trained_by_its_config_and_measured_as_any_other(finished):
    cfg, result = finished
    row = result['networks'][0]
    assert (row['name'], row['role'], row['view']) == ('sig', 'teacher', 'sig')
    assert row['params'] == (6 * 5 + 1) * 4 + (4 + 1) * 4  # six channels, four classes, written in no config
    assert next(iter(load_checkpoint(row['checkpoint'])['state_dict'])) == 'external.0.0.weight'
    logits = predict(cfg, row['checkpoint'], 'sig').logits
    torch.testing.assert_close(logits, torch.from_numpy(read_predictions(cfg.work_dir)['sig/best']))
    (kept,) = verify_caches(cfg)
    assert (kept.complete, kept.good) == (True, True)


def test_its_checkpoint_is_no_student_of_which_a_file_names_the_code(finished):
    with pytest.raises(ValueError, match='the student is an ExternalNetwork, whose code no file may name'):
        load_student(finished[1]['networks'][0]['checkpoint'])


def test_a_state_dict_of_the_module_itself_is_a_checkpoint(finished, leaf, tmp_path):
    state = load_checkpoint(finished[1]['networks'][0]['checkpoint'])['state_dict']
    own = {name.removeprefix('external.'): value for name, value in state.items()}
    torch.save(own, tmp_path / 'own.pth')
    options = {'model.teachers.sig.checkpoint': str(tmp_path / 'own.pth')}
    check_config(tiny_config(leaf, tmp_path / 'run', tmp_path / 'teachers', cfg_options=options))


def test_a_wrong_factory_is_found_before_anything_is_trained(leaf, tmp_path):
    options = {'teachers.model.learners.sig.network.factory': 'networks_of_mine:tiny_senso'}
    with pytest.raises(ConfigError, match="networks_of_mine has no function 'tiny_senso'; did you mean 'tiny_sensor'"):
        check_config(tiny_config(leaf, tmp_path / 'run', tmp_path / 'teachers', cfg_options=options))
    assert list(tmp_path.iterdir()) == []
