"""What a class accepts, and what is said of a dict that it does not accept."""

import pytest
import torch
from torch import nn

from mmkd_plugin.registry import HOOKS, METRICS, MODELS, OPTIMIZERS, PARAM_SCHEDULERS, argument_faults, build_checked
from mmkd_plugin.structures import accepted_arguments


class Base(nn.Module):
    def __init__(self, width, depth=2):
        super().__init__()


class Passing(Base):
    def __init__(self, tau=1.0, **base):
        super().__init__(**base)


class Giving(Base):
    def __init__(self, tau=1.0, **base):
        super().__init__(3, **base)


class Changing(Base):
    def __init__(self, tau=1.0, **base):
        base.pop('colour', None)
        super().__init__(**base)


class Keeping(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options


@pytest.mark.parametrize(
    ('cls', 'names', 'required', 'is_open'),
    [
        (Base, ('width', 'depth'), ('width',), False),
        (Passing, ('tau', 'width', 'depth'), ('width',), False),
        (Giving, ('tau', 'depth'), (), False),  # the width is given by the class itself
        (Changing, ('tau',), (), True),
        (Keeping, (), (), True),
        (nn.Identity, (), (), True),
        (torch.optim.SGD, None, ('params',), False),
        (object, (), (), False),
        (dict, (), (), True),
    ],
)
def test_arguments_of_a_class(cls, names, required, is_open):
    arguments = accepted_arguments(cls)
    assert (arguments.required, arguments.open) == (required, is_open)
    assert names is None or arguments.names == names


@pytest.mark.parametrize(
    ('registry', 'cfg', 'supplied', 'faults'),
    [
        (
            MODELS,
            dict(type='FeatureTransfer', source='a.logits', target='b.logits', wieght=1),
            (),
            ["here: FeatureTransfer takes no 'wieght'; did you mean 'weight'?"],
        ),
        (
            MODELS,
            dict(type='FeatureTransfer', wieght=1),
            (),
            [
                "here: FeatureTransfer takes no 'wieght'; did you mean 'weight'?",
                'here: FeatureTransfer needs source, target',
            ],
        ),
        (MODELS, dict(type='FeatureTransfr'), (), ["here: there is no model of type 'FeatureTransfr'; did you mean 'FeatureTransfer'?"]),
        (MODELS, dict(type='mmpretrain.ResNt'), (), ["here: there is no model of type 'mmpretrain.ResNt'; did you mean 'ResNet'?"]),
        (MODELS, dict(type='Zzzzzz'), (), ["here: there is no model of type 'Zzzzzz'"]),
        (MODELS, dict(type='mmpretrain.ResNet', dpth=18), (), ["here: ResNet takes no 'dpth'; did you mean 'depth'?", 'here: ResNet needs depth']),
        (MODELS, dict(type='Resize', colour=1), ('in_shape', 'goal'), ["here: Resize takes no 'colour'; it takes no argument"]),
        (MODELS, dict(type='Confidence', colour=1), ('names',), ["here: Confidence takes no 'colour'; its arguments are of, variant"]),
        (MODELS, dict(tau=4.0), (), ["here must be a dict with type=, got {'tau': 4.0}"]),
        (MODELS, 4.0, (), ['here must be a dict with type=, got 4.0']),
        (OPTIMIZERS, dict(type='SGD', lr=0.1, momentun=0.9), ('params',), ["here: SGD takes no 'momentun'; did you mean 'momentum'?"]),
        (HOOKS, dict(type='CheckpointHook', intervall=1), (), ["here: CheckpointHook takes no 'intervall'; did you mean 'interval'?"]),
    ],
)  # fmt: skip
def test_faults_of_a_dict_come_with_the_nearest_name(registry, cfg, supplied, faults):
    assert argument_faults(cfg, registry, 'here', supplied) == faults


@pytest.mark.parametrize(
    ('registry', 'cfg', 'supplied'),
    [
        (MODELS, dict(type='mmpretrain.ResNet', depth=18, _scope_='mmpretrain'), ()),
        (MODELS, dict(type='ResNet_CIFAR', depth=18, out_indices=(0, 1)), ()),  # passed on to its base
        (MODELS, dict(type='Fixed', sig=0.5, gaf=0.5), ('names',)),
        (MODELS, dict(type=nn.GELU, approximate='tanh'), ()),
        (MODELS, dict(type='torch.nn.Identity'), ()),
        (HOOKS, dict(type='EarlyStoppingHook', monitor='accuracy/top1', priority='LOW'), ()),
        (METRICS, dict(type='mmpretrain.Accuracy', topk=(1,)), ()),
        (PARAM_SCHEDULERS, dict(type='CosineAnnealingLR', T_max=2, eta_min=0.1, convert_to_iter_based=True), ('optimizer',)),
    ],
)
def test_a_good_dict_has_no_fault(registry, cfg, supplied):
    assert argument_faults(cfg, registry, 'here', supplied) == []


def test_building_names_the_entry():
    assert build_checked(dict(type='Confidence'), MODELS, 'weighting', names=('sig',)).names == ('sig',)
    with pytest.raises(ValueError, match=r"^weighting: Confidence takes no 'off'; did you mean 'of'\?$"):
        build_checked(dict(type='Confidence', off='student'), MODELS, 'weighting', names=('sig',))
    with pytest.raises(ValueError, match=r"^weighting: of must be 'teacher' or 'student', got 'both'$"):
        build_checked(dict(type='Confidence', of='both'), MODELS, 'weighting', names=('sig',))
