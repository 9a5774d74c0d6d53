"""A wrong entry of a distiller's config is refused with the nearest name, and all of them in one message."""

import copy

import pytest
from mmengine.registry import DefaultScope
from small_distiller import WRN, WRN2D, config

from mmkd_plugin.models.distillers import Learner, model_faults
from mmkd_plugin.registry import MODELS


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        yield


STUDENT = dict(view='sig', network=WRN)
KD = dict(type='ResponseTransfer', source=['sig.logits', 'gaf.logits'], target='student.logits')


def changed(**changes):
    """The small config with some entries of it changed, by their names."""
    cfg = copy.deepcopy(config())
    for kind, entries in changes.items():
        cfg[kind] = {**(cfg.get(kind) or {}), **entries} if isinstance(entries, dict) else entries
    return cfg


@pytest.mark.parametrize(
    ('changes', 'fault'),
    [
        # learners
        (dict(learners=dict(student=dict(**STUDENT, ce_weigth=0.5))), "learner 'student': there is no field 'ce_weigth'; did you mean 'ce_weight'? The fields are view, network, ce_weight, init_from, classifier, compile, reads"),
        (dict(learners=dict(student=dict(**STUDENT, init_form='a.pth'))), "learner 'student': there is no field 'init_form'; did you mean 'init_from'? The fields are view, network, ce_weight, init_from, classifier, compile, reads"),
        (dict(learners=dict(student=dict(**STUDENT, ce_weight=-1))), "learner 'student': ce_weight must be a number of at least 0, got -1"),
        (dict(learners=dict(student=dict(**STUDENT, ce_weight='one'))), "learner 'student': ce_weight must be a number of at least 0, got 'one'"),
        (dict(learners=dict(student=dict(**STUDENT, init_from=3))), "learner 'student': init_from must be a path, got 3"),
        (dict(learners=dict(student=dict(**STUDENT, compile='yes'))), "learner 'student': compile must be True, False or a dict of arguments of torch.compile, got 'yes'"),
        (dict(learners=dict(student=dict(**STUDENT, classifier=['sig']))), "learner 'student': classifier must name a teacher, and the learner must read a view, got ['sig']"),
        (dict(learners=dict(student=dict(**STUDENT, classifier='sog'))), "learner 'student', classifier: there is no teacher 'sog'; did you mean 'sig'? The teachers are sig, gaf"),
        (dict(learners=dict(student=dict(network=WRN))), "learner 'student': either view or reads must be given, and not both"),
        (dict(learners=dict(student=dict(**STUDENT, reads='image'))), "learner 'student': reads must be a list of learners, got 'image'"),
        (dict(learners=dict(student=dict(view='sig'))), "learner 'student' needs network"),
        (dict(learners=dict(student=dict(view=3, network=WRN))), "learner 'student': view must be the name of a view, got 3"),
        (dict(learners=dict(student=dict(view='sig', network='WRN'))), "learner 'student': network must be a dict, got 'WRN'"),
        (dict(learners=dict(student='WRN')), "learner 'student' must be a dict of fields, got 'WRN'"),
        (dict(learners=dict(student=dict(view='sgi', network=WRN))), "network 'student': there is no view 'sgi'; did you mean 'sig'? The views are sig, gaf"),
        # teachers
        (dict(teachers=dict(sig=dict(**STUDENT, chekpoint='a.pth'))), "teacher 'sig': there is no field 'chekpoint'; did you mean 'checkpoint'? The fields are view, network, config, checkpoint, use, outputs, rate"),
        (dict(teachers=dict(sig=dict(**STUDENT, use='newest'))), "teacher 'sig': use must be 'best' or 'last', got 'newest'"),
        (dict(teachers=dict(sig=dict(**STUDENT, checkpoint=True))), "teacher 'sig': checkpoint must be a path, got True"),
        # networks
        (dict(teachers=dict(sig=dict(view='sig', network=dict(bakbone=WRN['backbone'])))), "network 'sig': Network takes no 'bakbone'; did you mean 'backbone'?\nnetwork 'sig': Network needs backbone"),
        (dict(teachers=dict(sig=dict(view='sig', network=dict(backbone=dict(type='WideResNt', depth=10))))), "network 'sig', backbone: there is no model of type 'WideResNt'; did you mean 'WideResNet'?"),
        (dict(teachers=dict(sig=dict(view='sig', network=dict(backbone=dict(type='WideResNet', depht=10))))), "network 'sig', backbone: WideResNet takes no 'depht'; did you mean 'depth'?\nnetwork 'sig', backbone: WideResNet needs depth"),
        (dict(teachers=dict(sig=dict(view='sig', network=dict(**WRN, head=dict(type='LinearClsHead', clases=3))))), "network 'sig', head: LinearClsHead takes no 'clases'; did you mean 'loss'?"),
        (dict(teachers=dict(sig=dict(view='sig', network=dict(**WRN, projector=dict(type='BottleneckProjector', out_channels=8, faktor=2))))), "network 'sig', projector: BottleneckProjector takes no 'faktor'; did you mean 'factor'?"),
        # transfers
        (dict(transfers=dict(kd=dict(**KD, wieght=1))), "transfer 'kd': ResponseTransfer takes no 'wieght'; did you mean 'weight'?"),
        (dict(transfers=dict(kd=dict(**KD, weight=-1))), "transfer 'kd': weight must be a number of at least 0, got -1"),
        (dict(transfers=dict(kd=dict(**KD, weight=dict(type='Ramp', value=1, ovr=1)))), "transfer 'kd': weight: Ramp takes no 'ovr'; did you mean 'over'?\ntransfer 'kd': weight: Ramp needs over"),
        (dict(transfers=dict(kd=dict(**KD, weighting=dict(type='Fixed', sig=0.5, gaf='half')))), "transfer 'kd': weighting: gaf must be a number of at least 0, got 'half'"),
        (dict(transfers=dict(kd=dict(**KD, connector=dict(type='Resize', mode='area')))), "transfer 'kd', connector: Resize takes no 'mode'; it takes no argument"),
        (dict(transfers=dict(kd={**KD, 'target': 'studnt.logits'})), "transfer 'kd': address 'studnt.logits': there is no network 'studnt'; did you mean 'student'? The networks are student, sig, gaf"),
        (dict(transfers=dict(kd=dict(type='Uniform', names=['sig']))), "transfer 'kd': Uniform is not a transfer"),
        (dict(transfers=dict(kd=dict(source='sig.logits'))), "transfer 'kd' must be a dict with type=, got {'source': 'sig.logits'}"),
        # views, phases, the model itself
        (dict(data_preprocessor=dict(views=dict(gaf=dict(type='GramianAngularField', image_sise=12)))), "data_preprocessor: view 'gaf': GramianAngularField takes no 'image_sise'; did you mean 'image_size'?"),
        (dict(phases=dict(one=dict(epochs=[0, 1], terms=['kd'], lr=0.1, frezen=[]))), "phase 'one': there is no field 'frezen'; did you mean 'frozen'? The fields are epochs, terms, lr, frozen, decay"),
        (dict(phases=dict(one=dict(epochs=[0, 1], terms=['kdd'], lr=0.1))), "phase 'one', terms: there is no term 'kdd'; did you mean 'kd'? The terms are student, kd, fam"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused_with_the_nearest_name(changes, fault):
    cfg = changed(**changes)
    assert '\n'.join(model_faults(cfg)) == fault
    with pytest.raises(ValueError, match='.') as caught:
        MODELS.build(cfg)
    assert str(caught.value) == fault


def test_an_unknown_argument_of_the_model_is_named():
    assert model_faults(changed(learner=dict())) == ["model: Distiller takes no 'learner'; did you mean 'learners'?"]


def test_all_faults_come_in_one_message():
    cfg = changed(
        learners=dict(student=dict(**STUDENT, ce_weigth=1)),
        teachers=dict(gaf=dict(view='gaf', network=WRN2D, use='newest')),
        transfers=dict(kd=dict(**KD, wieght=1), fam=dict(type='FeatureTransfer', source='gaf.stages.2', target='student.stages.2', weight=-1)),
        phases=dict(one=dict(epochs=[0, 1], terms=['kd'])),
    )  # fmt: skip
    with pytest.raises(ValueError, match="learner 'student'") as caught:
        MODELS.build(cfg)
    lines = str(caught.value).splitlines()
    assert [line.split(':')[0].split(' needs')[0] for line in lines] == [
        "learner 'student'",
        "teacher 'gaf'",
        "transfer 'kd'",
        "transfer 'fam'",
        "phase 'one'",
    ]


def test_a_good_config_has_no_fault_and_its_entries_have_fields():
    assert model_faults(config()) == []
    learner = Learner(network=WRN, reads=['student', 'image'])
    assert (learner.reads, learner.ce_weight, learner.compile, learner.view) == (('student', 'image'), 1.0, False, None)
