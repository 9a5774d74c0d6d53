import copy

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample

from mmkd_plugin.models.distillers import examine
from mmkd_plugin.models.encoders import GramianAngularField
from mmkd_plugin.registry import MODELS

WRN = dict(backbone=dict(type='WideResNet', dim=1, depth=10))


@pytest.fixture
def model():
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        torch.manual_seed(0)
        late = dict(type='Interval', value=2.0, start=0.5)
        return MODELS.build(
            dict(
                type='Distiller',
                deployed='student',
                data_preprocessor=dict(type='ViewPreprocessor', shape=(3, 40), num_classes=4),
                learners=dict(student=dict(view='sig', network=WRN)),
                teachers=dict(sig=dict(view='sig', network=WRN)),
                transfers=dict(
                    kd=dict(type='ResponseTransfer', source='sig.logits', target='student.logits', weight=0.5),
                    late=dict(type='FeatureTransfer', source='sig.stages.2', target='student.stages.2', weight=late),
                ),
            )
        )


def batch(n=6):
    torch.manual_seed(1)
    return dict(inputs=torch.randn(n, 3, 40), data_samples=[DataSample().set_gt_label(i % 4) for i in range(n)])


def test_a_healthy_model_has_no_fault_and_its_terms_are_those_of_the_objective(model):
    seen = examine(model, batch())
    assert seen.faults == ()
    assert [term.name for term in seen.terms] == ['student', 'kd', 'late']
    losses = model.train()(**model.data_preprocessor(batch(), True), mode='loss')
    assert seen.terms[0].value == pytest.approx(losses['loss_student'].item(), rel=1e-5)
    assert seen.terms[1].value == pytest.approx(losses['loss_kd'].item(), rel=1e-5)
    parameters = list(model.learners['student'].parameters())
    gradients = torch.autograd.grad(losses['loss_kd'], parameters, allow_unused=True)
    norm = torch.cat([g.flatten() for g in gradients if g is not None]).norm().item()
    assert seen.terms[1].gradient == pytest.approx(norm, rel=1e-4)


def test_a_transfer_that_is_switched_off_is_looked_at_with_weight_one(model):
    late = examine(model, batch()).terms[2]
    assert (late.weight, late.idle) == (0.0, True)
    assert late.gradient > 0
    assert 'switched off now' in examine(model, batch()).table()


def test_nothing_is_left_behind(model):
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    data = batch()
    state = torch.get_rng_state()
    examine(model, data)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_a_dead_transfer_is_named(model, monkeypatch):
    monkeypatch.setattr(
        type(model.transfers['kd']), 'distance', lambda self, target, source, labels: (target - source).detach().square().sum(1)
    )
    (fault,) = examine(model, batch()).faults
    assert fault.startswith("'kd' is dead: its value is ")
    assert fault.endswith('its gradient on the learner is zero')


def test_a_teacher_in_training_mode_or_with_gradients_is_named(model):
    model.teachers['sig'].backbone.norm.train()
    next(model.teachers['sig'].parameters()).requires_grad_()
    faults = examine(model, batch()).faults
    assert "teacher 'sig' is in training mode: its batch statistics would follow the student's batches" in faults
    assert "teacher 'sig' is not frozen: its parameters would get a gradient" in faults


def test_the_first_place_that_is_not_finite_is_named(model):
    with torch.no_grad():
        model.teachers['sig'].backbone.stages[1][0].conv1.weight[0] = float('nan')
    faults = examine(model, batch()).faults
    assert faults[0] == "network 'sig' gives values that are not finite, first at stages.1"
    assert any(fault.startswith("'kd' is not finite: value nan") for fault in faults)
    data = batch()
    data['inputs'][0, 0, 0] = float('inf')
    assert examine(model, data).faults[0] == "view 'sig' has values that are not finite"


class Shuffled(GramianAngularField):
    """Images that went to the wrong windows."""

    def forward(self, signal):
        return super().forward(signal).roll(1, 0)


@pytest.mark.parametrize(('encoder', 'faults'), [(GramianAngularField, ()), (Shuffled, (0, 5))])
def test_a_view_of_another_window_is_named(encoder, faults):
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        torch.manual_seed(0)
        views = dict(gaf=dict(type=encoder, image_size=8))
        preprocessor = dict(type='ViewPreprocessor', shape=(3, 40), num_classes=4, views=views)
        network = dict(backbone=dict(type='WideResNet', dim=2, depth=10))
        learners = dict(net=dict(view='gaf', network=network))
        model = MODELS.build(dict(type='Distiller', data_preprocessor=preprocessor, learners=learners))
    assert examine(model, batch()).faults == tuple(
        f"view 'gaf' of sample {place} does not describe its window" for place in faults
    )
