"""Where a result comes from: the fingerprint of a config with its teachers, names, and the cost of a response."""

import pytest
from helpers import CONFIGS, tiny_config
from mmengine.registry import init_default_scope
from torch import nn

from mmkd_plugin.apis import load_config
from mmkd_plugin.apis.provenance import config_fingerprint, describe_code, describe_stack, method_name
from mmkd_plugin.apis.rows import describe
from mmkd_plugin.registry import MODELS


def fingerprint(method='kd', **options):
    return config_fingerprint(
        load_config(CONFIGS / f'{method}.py', **{'work_dir': 'a', 'data': 'hapt', 'fold': 0, 'seed': 0, **options})
    )


def test_a_config_has_one_fingerprint_for_all_folds_and_seeds_and_in_every_folder():
    first = fingerprint()
    assert fingerprint(fold=1, seed=7, work_dir='b', cfg_options={'teacher_dir': 'c', 'log_level': 'ERROR'}) == first
    trained = {'model.teachers.sig.checkpoint': 'work_dirs/teachers/sig-123/sig_best.pth'}
    assert fingerprint(cfg_options=trained) == first


def test_a_start_that_is_trained_counts_by_its_config(tmp_path):
    first = fingerprint(method='tpkd')
    assert fingerprint(method='tpkd', fold=1, work_dir='b') == first
    own = tmp_path / 'own.py'
    own.write_text("_base_ = 'mmkd_plugin::configs/supervised/student.py'\ntrain_cfg = dict(max_epochs=3)\n")
    assert fingerprint(method='tpkd', cfg_options={'model.learners.student.init_from': str(own)}) != first


@pytest.mark.parametrize(
    'options',
    [
        {'data': 'wisdm2019'},
        {'quick': True},
        {'cfg_options': {'train_cfg.max_epochs': 3}},
        {'cfg_options': {'teachers.train_cfg.max_epochs': 3}},
    ],
)
def test_what_changes_the_run_or_its_teachers_changes_the_fingerprint(options):
    assert fingerprint(**options) != fingerprint()


@pytest.mark.parametrize(
    ('path', 'name'),
    [
        ('/x/configs/kd.py', 'kd'),
        ('configs/supervised/student.py', 'supervised/student'),
        ('mine/toy.py', 'toy'),
        (None, 'config'),
    ],
)
def test_a_method_is_named_by_its_path_below_configs(path, name):
    assert method_name(path) == name


def test_code_and_stack_are_named():
    assert describe_code().keys() == {'version', 'commit', 'changed'}
    assert {'python', 'torch', 'numpy'} <= describe_stack().keys()


def test_macs_are_those_of_all_convolutions_and_linear_layers(tmp_path, teacher_dir):
    """Counted a second time, by the shapes that go through the layers."""
    cfg = tiny_config('supervised/student.py', tmp_path, teacher_dir)
    init_default_scope('mmkd_plugin')
    model = MODELS.build({**cfg.model, 'data_preprocessor': cfg.data_preprocessor})
    counted = []

    def count(layer, inputs, output):
        weights = layer.weight[0].numel()  # of one output value
        counted.append(output.numel() * weights)

    student = model.learners['student']
    hooks = [layer.register_forward_hook(count) for layer in student.modules() if isinstance(layer, (nn.Conv1d, nn.Linear))]
    row = describe(model, 'student', 'student')
    for hook in hooks:
        hook.remove()
    assert row['macs'] == sum(counted) > row['params'] == sum(p.numel() for p in student.parameters())
    assert model.training
