import copy
import re

import pytest
import torch
from mmengine.registry import DefaultScope
from small_distiller import VIEWS, WRN, WRN2D, batch, config, losses

from mmkd_plugin.registry import MODELS


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        yield


def test_weights_of_teachers_are_logged_and_no_part_of_the_objective():
    """Also where the name of a transfer or teacher has the word by which the host finds losses."""
    weighted = dict(type='ResponseTransfer', source=['sig.logits', 'gaf.logits'], target='student.logits')
    weighted['weighting'] = dict(type='Entropy')
    model = MODELS.build(config(transfers=dict(kd=weighted, my_loss=dict(weighted))))
    terms = losses(model)
    assert set(terms) == {'loss_student', 'loss_kd', 'loss_fam', 'loss_my_loss', 'weight_kd/sig', 'weight_kd/gaf'}
    total, _ = model.parse_losses(terms)
    torch.testing.assert_close(total, sum(value for name, value in terms.items() if name.startswith('loss_')))


def test_terms_are_named_after_learners_and_transfers_and_sum_to_the_objective():
    model = MODELS.build(config())
    terms = losses(model)
    assert set(terms) == {'loss_student', 'loss_kd', 'loss_fam'}
    total, logged = model.parse_losses(terms)
    torch.testing.assert_close(total, sum(terms.values()))
    torch.testing.assert_close(logged['loss'], total)


def test_teachers_are_frozen_and_in_no_list_of_the_model():
    model = MODELS.build(config()).train()
    before = copy.deepcopy(model.teachers['gaf'].state_dict())
    sum(losses(model).values()).backward()
    for teacher in model.teachers.values():
        assert not any(m.training for m in teacher.modules())
        assert not any(p.requires_grad for p in teacher.parameters())
        assert all(p.grad is None for p in teacher.parameters())
    assert all(torch.equal(before[k], v) for k, v in model.teachers['gaf'].state_dict().items())
    own = {id(p) for t in model.teachers.values() for p in t.parameters()}
    assert not own & {id(p) for p in model.parameters()}
    assert {key.split('.')[0] for key in model.state_dict()} == {'learners', 'transfers'}


def test_every_learner_and_connector_gets_a_gradient():
    model = MODELS.build(config())
    sum(losses(model).values()).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_moves_and_casts_reach_the_teachers():
    model = MODELS.build(config()).double()
    assert {p.dtype for t in model.teachers.values() for p in t.parameters()} == {torch.float64}
    assert {p.device.type for t in model.to('meta').teachers.values() for p in t.parameters()} == {'meta'}


def test_prediction_reads_the_deployed_learner_s_view_alone():
    model = MODELS.build(config()).eval()
    inputs = model.data_preprocessor(batch(), False)['inputs']
    assert set(inputs) == {'sig'}
    predictions = model(inputs, batch()['data_samples'], mode='predict')
    logits = model(inputs, mode='tensor')
    torch.testing.assert_close(torch.stack([p.pred_score for p in predictions]), logits.softmax(1))
    assert [p.pred_label.item() for p in predictions] == logits.argmax(1).tolist()


def test_a_transfer_set_to_none_is_dropped_and_with_it_its_teacher():
    model = MODELS.build(
        config(
            teachers=dict(gaf=None),
            transfers=dict(fam=None, kd=dict(type='ResponseTransfer', source='sig.logits', target='student.logits')),
        )
    )
    assert set(losses(model)) == {'loss_student', 'loss_kd'}
    assert model.data_preprocessor.training_views == ('sig',)


def test_a_transfer_with_weight_zero_does_not_run_its_teacher(monkeypatch):
    late = dict(type='Interval', value=2.0, start=0.5)
    cfg = config()
    cfg['transfers']['fam']['weight'] = late
    cfg['transfers']['kd']['source'] = 'sig.logits'
    model = MODELS.build(cfg)
    runs = []
    network = type(model.teachers['gaf'])
    forward = network.forward
    monkeypatch.setattr(network, 'forward', lambda self, x: (runs.append(self), forward(self, x))[1])
    terms = losses(model)
    assert terms['loss_fam'] == 0
    assert not any(run is model.teachers['gaf'] for run in runs)
    assert any(run is model.teachers['sig'] for run in runs)


def test_the_label_loss_has_a_weight():
    torch.manual_seed(0)
    full = MODELS.build(config())
    half = MODELS.build(config(learners=dict(student=dict(view='sig', network=WRN, ce_weight=0.5))))
    half.load_state_dict(full.state_dict())
    torch.testing.assert_close(losses(half)['loss_student'], losses(full)['loss_student'] / 2)


def test_one_learner_alone_is_supervised_training():
    model = MODELS.build(dict(type='Distiller', data_preprocessor=VIEWS, learners=dict(net=dict(view='gaf', network=WRN2D))))
    assert model.deployed == 'net'
    assert set(losses(model)) == {'loss_net'}


def test_training_without_trained_teachers_is_refused():
    with pytest.raises(RuntimeError, match=r'the teacher\(s\) gaf, sig have no weights: give checkpoint='):
        MODELS.build(config()).init_weights()


def test_a_teacher_s_checkpoint_is_loaded_and_a_student_can_start_from_one(tmp_path):
    source = MODELS.build(config())
    torch.save({'state_dict': source.state_dict(), 'meta': {}}, tmp_path / 'run.pth')
    path = str(tmp_path / 'run.pth')
    learner = dict(view='sig', network=WRN, init_from=path)
    cfg = config(learners=dict(student=learner), teachers=dict(sig=dict(view='sig', network=WRN, checkpoint=path), gaf=None))
    cfg['transfers'] = dict(kd=dict(type='ResponseTransfer', source='sig.logits', target='student.logits'))
    model = MODELS.build(cfg)
    wanted = source.learners['student'].state_dict()
    assert all(torch.equal(wanted[k], v) for k, v in model.teachers['sig'].state_dict().items())
    model.init_weights()
    assert all(torch.equal(wanted[k], v) for k, v in model.learners['student'].state_dict().items())


def started(checkpoint, **changes):
    """The student that training begins with, of a distiller whose teachers have weights."""
    cfg = config(**changes)
    for name, teacher in cfg['teachers'].items():
        cfg['teachers'][name] = teacher and {**teacher, 'checkpoint': f'{checkpoint}/{name}.pth'}
    torch.manual_seed(3)
    model = MODELS.build(cfg)
    torch.rand(len(cfg['transfers']))  # as hooks and loaders may
    model.init_weights()
    return model.learners['student'].state_dict()


def test_whatever_teaches_it_a_student_begins_with_the_weights_that_it_has_alone(tmp_path):
    for name, teacher in MODELS.build(config()).teachers.items():
        torch.save({'state_dict': teacher.state_dict(), 'meta': {}}, tmp_path / f'{name}.pth')
    kd = dict(type='ResponseTransfer', source='sig.logits', target='student.logits')
    contrast = dict(type='ContrastiveTransfer', source='gaf.embedding', target='student.embedding', dim=4, negatives=8)
    branches = dict(
        image=dict(view='gaf', network=WRN2D),
        fusion=dict(reads=['student', 'image'], network=dict(type='CrossAttentionFusion')),
    )
    alone = started(tmp_path, teachers=dict(sig=None, gaf=None), transfers=dict(kd=None, fam=None))
    for changes in (
        dict(),
        dict(teachers=dict(gaf=None), transfers=dict(kd=kd, fam=None)),
        dict(teachers=dict(sig=None), transfers=dict(kd=None, fam=None, crd=contrast)),
        dict(learners=branches),
    ):
        own = started(tmp_path, **changes)
        assert all(torch.equal(alone[key], own[key]) for key in alone), changes
    other = dict(WRN['backbone'], depth=16)
    assert started(tmp_path, learners=dict(student=dict(view='sig', network=dict(backbone=other)))).keys() != alone.keys()


def test_a_checkpoint_of_other_shapes_is_refused(tmp_path):
    wide = MODELS.build(
        config(learners=dict(student=dict(view='sig', network=dict(backbone=dict(WRN['backbone'], widen_factor=2)))))
    )
    torch.save({'state_dict': wide.state_dict()}, tmp_path / 'wide.pth')
    teacher = dict(view='sig', network=WRN, checkpoint=str(tmp_path / 'wide.pth'))
    with pytest.raises(ValueError, match=r'wide.pth does not fit the network: .*, expected \('):
        MODELS.build(config(teachers=dict(sig=teacher)))


KD = dict(type='ResponseTransfer', source='sig.logits', target='student.logits')


@pytest.mark.parametrize(
    ('changes', 'error', 'message'),
    [
        (
            dict(transfers=dict(kd={**KD, 'source': 'sog.logits'})),
            ValueError,
            r"^transfer 'kd': address 'sog.logits': there is no network 'sog'; did you mean 'sig'\? The networks are student, sig, gaf$",
        ),
        (
            dict(transfers=dict(kd={**KD, 'source': 'sig.stages.7'})),
            ValueError,
            "transfer 'kd': address 'sig.stages.7'.*has 3 stages",
        ),
        (dict(transfers=dict(kd={**KD, 'target': 'gaf.logits'})), ValueError, "transfer 'kd': 'gaf.logits' is a teacher's"),
        (dict(transfers=dict(fam=None, kd=KD)), ValueError, r'no transfer reads the teacher\(s\) gaf'),
        (
            dict(teachers=dict(gaf=dict(view='mtf', network=WRN2D))),
            ValueError,
            "network 'gaf': there is no view 'mtf'; the views are sig, gaf",
        ),
        (
            dict(teachers=dict(gaf=dict(view='gaf', network=WRN))),
            ValueError,
            r"network 'gaf': WideResNet cannot read a sample of",
        ),
        (
            dict(teachers=dict(gaf=dict(view='gaf'))),
            ValueError,
            "teacher 'gaf': view and network are needed; load_config takes them from config, and a run writes them into its work_dir",
        ),
        (dict(deployed='pupil'), ValueError, "deployed='pupil' must be one of the learners: student"),
        (dict(transfers=dict(student=KD)), ValueError, 'used twice: student'),
        (
            dict(data_preprocessor=dict(type='BaseDataPreprocessor')),
            ValueError,
            "data_preprocessor: BaseDataPreprocessor takes no 'shape'",
        ),
    ],
)
def test_a_wrong_config_fails_when_the_model_is_built(changes, error, message):
    with pytest.raises(error, match=message):
        MODELS.build(config(**changes))


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="mode must be 'loss', 'predict' or 'tensor', got 'losses'"):
        MODELS.build(config())({}, mode='losses')


@pytest.mark.parametrize(
    'backbone',
    [WRN['backbone'], dict(type='ResNet1d'), dict(type='VGG1d'), dict(type='MobileNetV2_1d')],
    ids=lambda b: b['type'],
)
def test_frequency_attention_by_single_stages_fits_every_network_over_time(backbone):
    cfg = config()
    cfg['learners']['student']['network'] = dict(backbone=backbone)
    assert losses(MODELS.build(cfg))['loss_fam'] > 0


def test_unequal_numbers_of_stages_are_answered_by_the_pairs_to_name():
    cfg = config(transfers=dict(fam=dict(type='FeatureTransfer', source='gaf.stages', target='student.stages')))
    cfg['learners']['student']['network'] = dict(backbone=dict(type='VGG1d'))
    message = (
        "transfer 'fam': 'gaf.stages' are 3 stages and 'student.stages' are 5; name single stages, one transfer for each pair: "
        "'gaf.stages.0' to 'student.stages.0', 'gaf.stages.1' to 'student.stages.2', 'gaf.stages.2' to 'student.stages.4'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        MODELS.build(cfg)
