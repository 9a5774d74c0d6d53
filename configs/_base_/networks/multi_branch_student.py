# A student with two branches in training: the signal branch, which is deployed alone, and an image branch, fused by cross
# attention. The fused prediction shares the signal branch's classifier.
model = dict(
    _scope_='mmkd_plugin',  # the host's tools would look among its own models alone
    type='Distiller',
    deployed='student',
    learners=dict(
        student=dict(view='sig', network=dict(backbone=dict(type='WideResNet', dim=1, depth=16, widen_factor=1))),
        image=dict(view='gaf', network=dict(backbone=dict(type='WideResNet', dim=2, depth=10, widen_factor=1))),
        fusion=dict(reads=['student', 'image'], network=dict(type='CrossAttentionFusion', heads=4)),
    ),
)
