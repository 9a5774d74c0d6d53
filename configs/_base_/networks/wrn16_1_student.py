# The student of the published comparisons: a wide residual network over time, 61 thousand parameters.
model = dict(
    _scope_='mmkd_plugin',  # the host's tools would look among its own models alone
    type='Distiller',
    deployed='student',
    learners=dict(student=dict(view='sig', network=dict(backbone=dict(type='WideResNet', dim=1, depth=16, widen_factor=1)))),
)
