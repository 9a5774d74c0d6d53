"""A small distiller with two teachers, for the tests of this room."""

import copy

import torch
from mmpretrain.structures import DataSample

WRN = dict(backbone=dict(type='WideResNet', dim=1, depth=10))
WRN2D = dict(backbone=dict(type='WideResNet', dim=2, depth=10))
VIEWS = dict(
    type='ViewPreprocessor', shape=(3, 40), num_classes=4, views=dict(gaf=dict(type='GramianAngularField', image_size=12))
)


def config(**changes):
    cfg = dict(
        type='Distiller',
        deployed='student',
        data_preprocessor=copy.deepcopy(VIEWS),
        learners=dict(student=dict(view='sig', network=WRN)),
        teachers=dict(sig=dict(view='sig', network=WRN), gaf=dict(view='gaf', network=WRN2D)),
        transfers=dict(
            kd=dict(type='ResponseTransfer', source=['sig.logits', 'gaf.logits'], target='student.logits'),
            fam=dict(
                type='FeatureTransfer',
                source='gaf.stages.2',
                target='student.stages.2',
                connector=[dict(type='Lift'), dict(type='FrequencyAttention'), dict(type='NormReLU')],
                weight=2.0,
            ),
        ),
    )
    for key, value in changes.items():
        cfg[key] = {**cfg[key], **value} if isinstance(value, dict) and isinstance(cfg.get(key), dict) else value
    return cfg


def batch(n=5):
    torch.manual_seed(0)
    samples = [DataSample().set_gt_label(i % 4) for i in range(n)]
    return dict(inputs=torch.randn(n, 3, 40), data_samples=samples)


def losses(model, data=None):
    data = model.data_preprocessor(data or batch(), True)
    return model(**data, mode='loss')
