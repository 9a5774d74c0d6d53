"""Networks that weigh the teachers, and what trains them."""

import copy

import pytest
import torch
from small_distiller import batch, config, losses
from torch import nn

from mmkd_plugin.engine import MetaHook, missing_hooks
from mmkd_plugin.models import MetaDistiller
from mmkd_plugin.models.distillers import HardBuffer
from mmkd_plugin.models.weightings import Learned
from mmkd_plugin.registry import MODELS

LEARNED = dict(type='Learned')
BOTH = dict(source=['sig.embedding', 'gaf.embedding'], target='student.embedding', weighting=LEARNED)
TRANSFERS = dict(
    kd=dict(type='ResponseTransfer', source=['sig.logits', 'gaf.logits'], target='student.logits', weighting=LEARNED),
    features=dict(type='FeatureTransfer', connector=dict(type='LinearConnector'), **BOTH),
)


def meta_config(**changes):
    cfg = config(type='MetaDistiller', buffer_size=6)
    return {**cfg, 'transfers': copy.deepcopy(TRANSFERS), **changes}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MODELS.build(meta_config()).double().train()


def double_batch(n=6):
    data = batch(n)
    return {**data, 'inputs': data['inputs'].double()}


def terms(model):
    """The weighted transfers' sum and the label loss on the buffer, computed by the networks as they are."""
    return model(model.buffer.read(), mode='meta')


def loss_after_a_step(model, lr, name=None, place=0, change=0.0):
    """Change one number of a weighing network, take the step by torch's optimiser on a copy, and ask for the label loss."""
    model = copy.deepcopy(model)
    if name is not None:
        model.transfers[name].weighting.network[place] += change
    terms(model)[0].backward()
    torch.optim.SGD(model.parameters(), lr=lr).step()
    with torch.no_grad():
        return terms(model)[1].item()


@pytest.mark.parametrize('name', ['kd', 'features'])
def test_the_meta_gradient_is_the_slope_of_the_loss_after_a_real_step(model, name):
    model.meta_step(double_batch(), 0.1)
    gradient = model.meta_gradients(0.5)[name]
    for place in gradient.abs().topk(2).indices.tolist():
        up, down = (loss_after_a_step(model, 0.5, name, place, change) for change in (1e-5, -1e-5))
        assert gradient[place].item() == pytest.approx((up - down) / 2e-5, rel=1e-5)
    assert not any(value.any() for value in model.meta_gradients(0.0).values())  # without a step, weights change nothing


def test_a_meta_step_trains_the_weighing_networks_and_nothing_else(model):
    few, many = double_batch(4), double_batch()
    before, random = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    model.meta_step(few, 0.1)  # two samples are missing yet
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items() if 'buffer' not in key)
    model.meta_step(many, 0.1)
    moved = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    parts = ('network', 'mean', 'square', 'steps')
    assert {key for key in moved if 'buffer' not in key} == {f'transfers.{n}.weighting.{p}' for n in TRANSFERS for p in parts}
    assert torch.equal(torch.get_rng_state(), random)
    assert model.training
    assert all(p.grad is None for p in model.parameters())
    model.active = frozenset({'student'})  # a phase without these transfers
    before = copy.deepcopy(model.state_dict())
    model.meta_step(double_batch(), 0.1)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items() if 'buffer' not in key)


def test_learned_weights_are_numbers_to_the_student(model):
    values = losses(model, double_batch())
    for name in TRANSFERS:
        assert values[f'weight_{name}/sig'] + values[f'weight_{name}/gaf'] == pytest.approx(1)
    sum(value for key, value in values.items() if key.startswith('loss')).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []
    assert not any('weighting' in name for name, _ in model.named_parameters())
    assert {key for key in model.state_dict() if 'weighting' in key} >= {f'transfers.{n}.weighting.network' for n in TRANSFERS}


def test_terms_under_autocast_are_finite_and_a_meta_step_is_not_in_half_precision():
    build = dict(source=['sig.logits', 'gaf.logits'], target='student.logits')
    more = {
        'aekd': dict(type='ResponseTransfer', weighting=dict(type='MinimumNorm'), standardize=True, **build),
        'paced': dict(type='ResponseTransfer', weighting=dict(type='SelfPaced'), **build),
        'curriculum': dict(type='CurriculumTransfer', **build),
    }
    torch.manual_seed(0)
    model = MODELS.build(meta_config(transfers={**TRANSFERS, **more})).train()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        values = losses(model, batch(6))
    assert {value.dtype for value in values.values()} == {torch.float32}
    assert values['weight_aekd/sig'] + values['weight_aekd/gaf'] == pytest.approx(1)
    sum(value for key, value in values.items() if key.startswith('loss')).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
    model.meta_step(batch(6), 0.1)
    assert all(value.dtype == torch.float32 for value in model.meta_gradients(0.1).values())


def test_the_weighing_network_is_two_linear_layers():
    torch.manual_seed(1)
    weighting = Learned(['a', 'b'])
    weighting.bind([3, 3, 3])
    torch.manual_seed(1)
    layers = nn.Sequential(nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 2))
    logits = [torch.randn(5, 3) for _ in range(3)]
    torch.testing.assert_close(weighting(logits, torch.zeros(5)), layers(torch.cat(logits, 1)).softmax(1).T.detach())
    halved = weighting([z.half() for z in logits], torch.zeros(5))
    assert halved.dtype == torch.float32


def test_the_weighing_network_learns_by_adam_and_its_moments_are_in_the_state():
    weighting, after_one = Learned(['a', 'b']), Learned(['a', 'b'])
    for each in (weighting, after_one):
        each.bind([2, 2, 2])
    numbers = nn.Parameter(weighting.network.clone())
    adam = torch.optim.Adam([numbers], lr=0.01, weight_decay=0.1)
    for step in range(3):
        numbers.grad = torch.randn(len(numbers))
        weighting.learn(numbers.grad.clone(), 0.01, 0.1)
        if step:
            after_one.learn(numbers.grad.clone(), 0.01, 0.1)
        adam.step()
        assert torch.equal(weighting.network, numbers)
        if not step:
            after_one.load_state_dict(weighting.state_dict())
    assert torch.equal(after_one.network, numbers)
    assert weighting.steps == 3


def test_the_buffer_keeps_the_newest_hard_samples():
    buffer = HardBuffer(3, {'a.logits': (2,)})

    def put(labels, hard):
        labels = torch.tensor(labels)
        buffer.put({'labels': labels, 'a.logits': labels[:, None].repeat(1, 2) / 2, 'other': labels}, torch.tensor(hard))

    put([1, 2], [False, True])  # all, as long as there is room
    assert not buffer.full
    put([3, 4], [False, False])
    assert buffer.full
    assert buffer.read()['labels'].tolist() == [2, 3, 4]
    put([5, 6, 7], [True, False, True])
    again = HardBuffer(3, {'a.logits': (2,)})
    again.load_state_dict(buffer.state_dict())
    assert again.full
    assert again.read()['labels'].tolist() == [4, 5, 7]
    assert again.read()['a.logits'].tolist() == [[2, 2], [2.5, 2.5], [3.5, 3.5]]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(type='Distiller', buffer_size=None), "transfer 'kd': Learned weights are trained by type='MetaDistiller' alone"),
        (dict(transfers=config()['transfers']), r"a MetaDistiller needs a transfer with weighting=dict\(type='Learned'\)"),
        (
            dict(transfers=dict(crd=dict(type='ContrastiveTransfer', dim=8, **BOTH))),
            'crd: a virtual step would change the memory bank; choose another weighting',
        ),
        (dict(meta_interval=0), 'meta_interval must be a whole number, at least 1, got 0'),
        (dict(meta_lr=0), 'meta_lr must be a number above 0, got 0'),
        (dict(meta_weight_decay=-1), 'meta_weight_decay must be a number of at least 0, got -1'),
        (dict(buffer_size=1.5), 'buffer_size must be a whole number, at least 1, got 1.5'),
    ],
)
def test_impossible_meta_learning_is_refused(changes, message):
    cfg = {key: value for key, value in meta_config(**changes).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        MODELS.build(cfg)


def test_a_compiled_learner_has_no_second_derivative():
    cfg = meta_config()
    cfg['learners']['student'] = {**cfg['learners']['student'], 'compile': True}
    with pytest.raises(ValueError, match='student: what torch compiles has no second derivative; drop compile'):
        MetaDistiller(**{key: value for key, value in cfg.items() if key != 'type'})
    with pytest.raises(ValueError, match='factor must be a number above 0, got 0'):
        Learned(['a'], factor=0)


def test_a_meta_distiller_needs_its_hook(model):
    (sentence,) = missing_hooks(model, [])
    assert sentence.startswith('the config has no MetaHook, which trains the networks that weigh the teachers: add dict(')
    assert missing_hooks(model, [MetaHook()]) == []
