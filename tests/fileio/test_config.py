"""Configs are found, and a distiller's is completed by its teachers'."""

import pytest

from mmkd_plugin.fileio import complete_teachers, deployed_learner, resolve_config


def test_a_shipped_config_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve_config('configs/teachers/gaf.py').is_file()
    with pytest.raises(FileNotFoundError, match='there is no config configs/none.py, neither from'):
        resolve_config('configs/none.py')


def test_a_teacher_gets_view_and_network_from_its_config():
    model = dict(teachers=dict(gaf=dict(config='configs/teachers/gaf.py'), pi=None))
    complete_teachers(model)
    assert model['teachers']['gaf']['view'] == 'gaf'
    assert model['teachers']['gaf']['network']['backbone']['type'] == 'ResNet_CIFAR'
    own = dict(teachers=dict(gaf=dict(config='configs/teachers/gaf.py', view='pi')))
    complete_teachers(own)
    assert own['teachers']['gaf']['view'] == 'pi'


@pytest.mark.parametrize(
    ('config', 'error', 'message'),
    [
        ('none.py', FileNotFoundError, "teacher 'gaf': there is no config none.py"),
        (
            'configs/_base_/default_runtime.py',
            ValueError,
            "teacher 'gaf': deployed=None must be one of the learners: none given",
        ),
    ],
)
def test_a_teacher_s_wrong_config_is_named(config, error, message):
    with pytest.raises(error, match=message):
        complete_teachers(dict(teachers=dict(gaf=dict(config=config))))


def test_the_deployed_learner_is_the_only_one_or_the_one_named():
    learners = dict(student=dict(view='sig'), image=dict(view='gaf'))
    assert deployed_learner(dict(learners=learners, deployed='image')) == ('image', dict(view='gaf'))
    assert deployed_learner(dict(learners=dict(learners, image=None)))[0] == 'student'
    with pytest.raises(ValueError, match='must be one of the learners: student, image'):
        deployed_learner(dict(learners=learners))
