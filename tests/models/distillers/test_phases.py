import copy

import pytest
import torch
from mmengine.registry import DefaultScope
from small_distiller import WRN, WRN2D, batch, config, losses

from mmkd_plugin.models.distillers import Phases
from mmkd_plugin.registry import MODELS

FIRST = dict(epochs=[0, 2], lr=0.1, terms=['kd'])
SECOND = dict(epochs=[2, 8], lr=0.2, terms=['student', 'kd'], frozen=['student'], decay='constant')


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        yield


def phases(**more):
    return Phases(dict(second=SECOND, first=FIRST, **more), ['student', 'kd', 'fam'], ['student'])


def test_the_phase_follows_from_the_progress():
    result = phases()
    assert result.at(0.0) == ('first', 0.0)
    assert result.at(0.125) == ('first', 0.5)
    assert result.at(0.25) == ('second', 0.0)
    assert result.at(1.0) == ('second', 1.0)
    thirds = Phases({n: dict(epochs=[i, i + 1], lr=1, terms=['a']) for i, n in enumerate('xyz')}, ['a'], [])
    assert [thirds.at(i / 3)[0] for i in range(4)] == ['x', 'y', 'z', 'z']
    assert [thirds.at(i / 21)[0] for i in range(21)] == ['x'] * 7 + ['y'] * 7 + ['z'] * 7


def test_every_phase_has_its_own_rate():
    result = phases()
    assert result.rate(0.0) == pytest.approx(0.1)
    assert result.rate(0.125) == pytest.approx(0.05)  # half a cosine
    assert result.rate(0.25 - 1e-6) == pytest.approx(0.0, abs=1e-6)
    assert result.rate(0.6) == result.rate(1.0) == 0.2


@pytest.mark.parametrize(
    ('phase', 'message'),
    [
        (
            dict(epochs=[8, 9], lr=0.1, terms=['kdd']),
            r"phase 'third', terms: there is no term 'kdd'; did you mean 'kd'\? The terms are student, kd, fam",
        ),
        (
            dict(epochs=[8, 9], lr=0.1, terms=['kd'], frozen=['kd']),
            "phase 'third', frozen: there is no learner 'kd'; the learners are student",
        ),
        (
            dict(epochs=[9, 8], lr=0.1, terms=['kd']),
            r"phase 'third': epochs must be \[begin, end\] with begin below end, got \[9, 8\]",
        ),
        (dict(epochs=[9, 10], lr=0.1, terms=['kd']), "phase 'third' begins at epoch 9, the one before it ends at 8"),
        (dict(epochs=[7, 10], lr=0.1, terms=['kd']), "phase 'third' begins at epoch 7, the one before it ends at 8"),
        (dict(epochs=[8, 9], lr=0.1, terms=[]), "phase 'third': terms must name at least one learner or transfer"),
        (
            dict(epochs=[8, 9], lr=0.1, terms=['kd'], decay='linear'),
            "phase 'third': decay must be 'cosine' or 'constant', got 'linear'",
        ),
        (
            dict(epochs=[8, 9], terms=['kd'], rate=3),
            "^phase 'third': there is no field 'rate'; the fields are epochs, terms, lr, frozen, decay\nphase 'third' needs lr$",
        ),
        (dict(epochs=[8, 9], terms=['kd'], lr=-0.1), "phase 'third': lr must be a number of at least 0, got -0.1"),
        (dict(epochs=[8, 'end'], terms=['kd'], lr=0.1), "phase 'third': epochs must be a number of at least 0, got 'end'"),
        (dict(epochs=[8, 9], terms='kd', lr=0.1), "phase 'third': terms must be a list, got 'kd'"),
    ],
)
def test_a_wrong_phase_is_refused(phase, message):
    with pytest.raises(ValueError, match=message):
        phases(third=phase)


def test_terms_that_are_off_cost_nothing_and_frozen_learners_stand_still():
    model = MODELS.build(config(phases=dict(first=FIRST, second=SECOND))).train()
    model.enter_phase('first')
    terms = losses(model)
    assert terms['loss_student'] == 0 == terms['loss_fam']
    assert terms['loss_kd'] > 0
    assert all(p.requires_grad for p in model.parameters())

    model.enter_phase('second')
    before = copy.deepcopy(model.learners['student'].state_dict())
    model.train()
    losses(model)
    assert not any(p.requires_grad for p in model.learners['student'].parameters())
    assert all(torch.equal(before[key], value) for key, value in model.learners['student'].state_dict().items())
    model.enter_phase(None)
    assert all(p.requires_grad for p in model.parameters())
    assert model.learners['student'].training


BRANCHES = dict(
    student=dict(view='sig', network=WRN),
    image=dict(view='gaf', network=WRN2D),
    fusion=dict(reads=['student', 'image'], network=dict(type='CrossAttentionFusion')),
)


def branched(**changes):
    torch.manual_seed(0)
    return MODELS.build(config(learners=copy.deepcopy(BRANCHES), **changes))


def test_a_student_with_branches_predicts_from_the_signal_alone_and_from_both():
    model = branched().eval()
    sig_only = model.data_preprocessor(batch(), False)['inputs']
    assert set(sig_only) == {'sig'}
    alone = model(sig_only, mode='tensor')
    model.deploy('fusion')
    both = model.data_preprocessor(batch(), False)['inputs']
    assert set(both) == {'sig', 'gaf'}
    fused = model(both, batch()['data_samples'], mode='predict')
    assert not torch.allclose(torch.stack([p.pred_score for p in fused]), alone.softmax(1))
    model.deploy('student')
    torch.testing.assert_close(model(model.data_preprocessor(batch(), False)['inputs'], mode='tensor'), alone)


def test_the_fused_prediction_goes_through_the_signal_branch_s_classifier():
    model = branched().eval()
    with torch.no_grad():
        model.learners['fusion'].out.weight.zero_()
        model.learners['fusion'].out.bias.zero_()  # the image adds nothing
    inputs = model.data_preprocessor(batch(), True)['inputs']
    alone = model(inputs, mode='tensor')
    model.deploy('fusion')
    torch.testing.assert_close(model(inputs, mode='tensor'), alone)
    assert not any('head' in name for name, _ in model.learners['fusion'].named_parameters())


def test_the_fusion_s_attention_is_that_of_torch():
    """Against torch's own multi-head attention with the same weights."""
    model = branched().eval()
    fusion = model.learners['fusion']
    inputs = model.data_preprocessor(batch(), True)['inputs']
    signal, image = (model.learners[name](inputs[view]) for name, view in (('student', 'sig'), ('image', 'gaf')))
    taps = fusion(signal, image)
    c = signal.stages[-1].shape[1]
    peer = torch.nn.MultiheadAttention(c, fusion.heads, kdim=c, vdim=c, batch_first=True)
    with torch.no_grad():
        peer.in_proj_weight.copy_(torch.cat([fusion.query.weight, fusion.key.weight, fusion.value.weight]))
        peer.in_proj_bias.copy_(torch.cat([torch.zeros(2 * c), fusion.value.bias]))
        peer.out_proj.load_state_dict(fusion.out.state_dict())
    queries = fusion.signal_norm(signal.stages[-1].transpose(1, 2))
    keys = fusion.image_norm(image.stages[-1].flatten(2).transpose(1, 2))
    attended, weights = peer(queries, keys, keys, average_attn_weights=True)
    torch.testing.assert_close(taps.attention.flatten(2), weights)
    torch.testing.assert_close(taps.stages[0], signal.stages[-1] + attended.transpose(1, 2))
    torch.testing.assert_close(taps.attention.sum((2, 3)), torch.ones(taps.attention.shape[:2]))


@pytest.mark.parametrize(
    ('learners', 'message'),
    [
        (
            dict(fusion=dict(reads=['student', 'gaf'], network=dict(type='CrossAttentionFusion'))),
            "learner 'fusion', reads: there is no learner 'gaf'; the learners are student, image with a view",
        ),
        (
            dict(fusion=dict(reads=['image', 'student'], network=dict(type='CrossAttentionFusion'))),
            r"network 'fusion': CrossAttentionFusion reads a signal branch",
        ),
        (
            dict(fusion=dict(reads=['student', 'image'], network=dict(type='CrossAttentionFusion', heads=5))),
            'not a multiple of 5 heads',
        ),
    ],
)
def test_a_fusion_that_cannot_be_is_refused(learners, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(config(learners={**copy.deepcopy(BRANCHES), **learners}))


def test_a_borrowed_classifier_is_the_teacher_s_and_stays():
    wide = dict(backbone=dict(WRN['backbone'], widen_factor=2))
    projector = dict(type='BottleneckProjector', out_channels=128)
    student = dict(view='sig', classifier='sig', ce_weight=0.0, network=dict(projector=projector, **WRN))
    simkd = dict(type='FeatureTransfer', source='sig.stages.2', target='student.stages.3')
    cfg = config(learners=dict(student=student), teachers=dict(sig=dict(view='sig', network=wide), gaf=None))
    cfg['transfers'] = dict(simkd=simkd)
    model = MODELS.build(cfg).train()
    head, theirs = model.learners['student'].head.fc, model.teachers['sig'].head.fc
    assert torch.equal(head.weight, theirs.weight)
    assert torch.equal(head.bias, theirs.bias)
    terms = losses(model)
    assert terms['loss_student'] == 0
    terms['loss_simkd'].backward()
    assert not head.weight.requires_grad
    assert all(p.grad.abs().sum() > 0 for n, p in model.named_parameters() if p.requires_grad)
    assert {n.split('.')[2] for n, p in model.named_parameters() if p.requires_grad} == {'backbone', 'projector'}

    cfg['learners']['student']['network']['projector']['out_channels'] = 64
    cfg['transfers'] = dict(kd=dict(type='ResponseTransfer', source='sig.logits', target='student.logits'))
    with pytest.raises(
        ValueError, match=r"'student' cannot take over the classifier of 'sig': the shapes are \(4, 64\) and \(4, 128\)"
    ):
        MODELS.build(cfg)
    cfg['learners']['student']['classifier'] = 'sog'
    with pytest.raises(ValueError, match="learner 'student', classifier: there is no teacher 'sog'; did you mean 'sig'"):
        MODELS.build(cfg)
