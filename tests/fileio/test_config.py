"""Configs are found and read, options merged, and a distiller's config is completed by its teachers'."""

import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from mmkd_plugin.fileio import (
    ConfigError,
    complete_teachers,
    config_files,
    deployed_learner,
    merge_options,
    read_config,
    resolve_config,
    shipped_configs,
    views_read,
)

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.mark.parametrize(
    ('name', 'file'),
    [
        ('fam_kd', 'fam_kd.py'),
        ('fam_kd.py', 'fam_kd.py'),
        ('configs/fam_kd.py', 'fam_kd.py'),
        ('supervised/student', 'supervised/student.py'),
        ('configs/teachers/gaf', 'teachers/gaf.py'),
        ('mmkd_plugin::configs/kd.py', 'kd.py'),
        ('mmkd_plugin::kd', 'kd.py'),
    ],
)
def test_a_shipped_config_is_found_by_its_name_from_anywhere(name, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve_config(name).samefile(CONFIGS / file)


def test_a_file_of_one_s_own_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('fam_kd.py').write_text('')
    assert resolve_config('fam_kd') == Path('fam_kd.py')
    assert resolve_config('mmkd_plugin::fam_kd').samefile(CONFIGS / 'fam_kd.py')


def test_a_config_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(
        FileNotFoundError, match=r"there is no config configs/fam_dk\.py, neither from .*; did you mean 'fam_kd'\?"
    ):
        resolve_config('configs/fam_dk.py')
    assert 'supervised/student' in shipped_configs()
    assert not any(name.startswith('_base_') for name in shipped_configs())
    assert 'watch' in shipped_configs('_base_/datasets')


def test_a_config_s_files_are_listed_with_their_bases():
    files = [file.resolve().relative_to(CONFIGS) for file in config_files(CONFIGS / 'teachers' / 'gaf_mobilenet_v2.py')]
    assert [str(file) for file in files[:4]] == [
        'teachers/gaf_mobilenet_v2.py',
        'teachers/gaf.py',
        '_base_/datasets/watch.py',
        '_base_/datasets/loaders.py',
    ]


def test_a_config_is_read_again_when_a_file_has_changed_or_its_text_may_give_something_else(tmp_path, monkeypatch):
    base, child = tmp_path / 'base.py', tmp_path / 'child.py'
    base.write_text('a = dict(b=[1])\n')
    child.write_text("_base_ = './base.py'\n")
    first = read_config(child)
    first.a.b.append(2)  # a reader's changes are its own
    assert read_config(child).a.b == [1]
    base.write_text('a = dict(b=[3])\n')
    assert read_config(child).a.b == [3]
    base.write_text("import os\n\na = dict(b=os.environ.get('SIZE'))\ndel os\n")
    for size in ('4', '5'):
        monkeypatch.setenv('SIZE', size)
        assert read_config(child).a.b == size


def test_a_base_of_the_package_is_found_from_anywhere(tmp_path):
    leaf = tmp_path / 'leaf.py'
    leaf.write_text("_base_ = 'mmkd_plugin::configs/kd.py'\nmodel = dict(transfers=dict(kd=dict(weight=0.5)))\n")
    cfg = read_config(leaf)
    assert (cfg.model.transfers.kd.type, cfg.model.transfers.kd.weight) == ('ResponseTransfer', 0.5)
    assert [file.name for file in config_files(leaf)[:3]] == ['leaf.py', 'kd.py', 'watch.py']
    find = Config._get_cfg_path
    read_config(leaf)
    assert Config._get_cfg_path is find  # the host is left as it was


def test_a_module_beside_the_config_can_be_imported(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'path', list(sys.path))
    (tmp_path / 'module_beside_the_config.py').write_text('VALUE = 3\n')
    leaf = tmp_path / 'leaf.py'
    leaf.write_text("custom_imports = dict(imports=['module_beside_the_config'])\n")
    read_config(leaf)
    assert sys.modules.pop('module_beside_the_config').VALUE == 3
    leaf.write_text("custom_imports = dict(imports=['module_that_is_missing'])\n")
    with pytest.raises(ImportError) as error:
        read_config(leaf)
    assert str(error.value).startswith(f'config {leaf}: ')
    assert "'module_that_is_missing'" in str(error.value)
    assert f'modules are looked for in {tmp_path} and on PYTHONPATH' in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (b'# caf\xe9\n', r'leaf\.py is not UTF-8 text: byte 0xe9 at 5'),
        (b'model = dict(\n', r"leaf\.py, line 1: '\(' was never closed"),
        (b"_base_ = 'none.py'\n", r'leaf\.py: there is no base none\.py$'),
        (b"_base_ = 'kd.py'\n", r"there is no base kd\.py; the shipped one is _base_ = 'mmkd_plugin::configs/kd\.py'$"),
        (b"_base_ = 'leaf.py'\n", r'leaf\.py inherits from itself'),
        (b'model = dict(a=unknown)\n', r"leaf\.py cannot be read: NameError: name 'unknown' is not defined"),
        (b"_base_ = 'base.py'\nmodel = dict(a=_base_.b)\n", r'leaf\.py cannot be read: '),
        (b"_base_ = ['base.py', 'other.py']\n", r'leaf\.py cannot be read: KeyError: Duplicate key'),
    ],
)
def test_a_config_that_cannot_be_read_is_one_sentence(text, message, tmp_path):
    for name in ('base.py', 'other.py'):
        (tmp_path / name).write_text('a = 1\n')
    (tmp_path / 'leaf.py').write_bytes(text)
    with pytest.raises((ConfigError, FileNotFoundError), match=message) as error:
        read_config(tmp_path / 'leaf.py')
    assert '\n' not in str(error.value)


def test_a_fault_of_a_base_names_the_base(tmp_path):
    (tmp_path / 'base.py').write_text('a = = 1\n')
    (tmp_path / 'leaf.py').write_text("_base_ = 'base.py'\n")
    with pytest.raises(ConfigError, match=r'base\.py, line 1: invalid syntax'):
        read_config(tmp_path / 'leaf.py')


def test_an_error_of_a_config_lists_its_faults():
    assert str(ConfigError('one')) == str(ConfigError(['one', 'one'])) == 'one'
    assert str(ConfigError(['one', 'two'], 'a.py')) == '2 faults in a.py:\n  - one\n  - two'
    assert str(ConfigError(['one', 'two'])).startswith('2 faults in the config:')


def test_options_are_merged_or_lead_nowhere():
    cfg = Config(dict(a=dict(b=1), c=[dict(d=1)], e=None))
    refused = merge_options(cfg, {'a.b': 2, 'a.n': 3, 'c.0.d': 4, 'c.1.d': 5, 'a.b.x': 6, 'e.f': 7})
    assert cfg.to_dict() == dict(a=dict(b=2, n=3), c=[dict(d=4)], e=None)
    assert refused == {
        'c.1.d': 'c is a list with the indices 0 to 0',
        'a.b.x': 'a.b is 2 and has no entries',
        'e.f': 'e is None and has no entries',
    }


def test_a_teacher_gets_view_and_network_from_its_config():
    model = dict(teachers=dict(gaf=dict(config='configs/teachers/gaf.py'), pi=None))
    complete_teachers(model)
    assert model['teachers']['gaf']['view'] == 'gaf'
    assert model['teachers']['gaf']['network']['backbone']['type'] == 'ResNet_CIFAR'
    own = dict(teachers=dict(gaf=dict(config='configs/teachers/gaf.py', view='pi')))
    complete_teachers(own, {'model.learners.gaf.network.backbone.depth': 34})
    assert own['teachers']['gaf']['view'] == 'pi'
    assert own['teachers']['gaf']['network']['backbone']['depth'] == 34


def test_views_that_networks_read():
    model = dict(learners=dict(a=dict(view='sig'), b=dict(reads=['a', 'c']), c=None), teachers=dict(d=dict(view='gaf')))
    assert views_read(model) == {'sig', 'gaf'}
    assert views_read(dict(type='Mine', teachers=None)) == set()


def test_every_teacher_s_wrong_config_is_named():
    teachers = dict(gaf=dict(config='none.py'), sig=dict(config='configs/_base_/default_runtime.py'))
    with pytest.raises(ConfigError) as error:
        complete_teachers(dict(teachers=teachers))
    first, second = error.value.faults
    assert first.startswith("teacher 'gaf': there is no config none.py")
    assert second == "teacher 'sig': deployed=None must be one of the learners: none given"


def test_the_deployed_learner_is_the_only_one_or_the_one_named():
    learners = dict(student=dict(view='sig'), image=dict(view='gaf'))
    assert deployed_learner(dict(learners=learners, deployed='image')) == ('image', dict(view='gaf'))
    assert deployed_learner(dict(learners=dict(learners, image=None)))[0] == 'student'
    with pytest.raises(ValueError, match='must be one of the learners: student, image'):
        deployed_learner(dict(learners=learners))
