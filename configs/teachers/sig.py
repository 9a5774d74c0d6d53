_base_ = ['../_base_/datasets/watch.py', '../_base_/schedules/sgd.py', '../_base_/default_runtime.py']

# Three times as wide as the student.
model = dict(
    _scope_='mmkd_plugin',  # the host's tools would look among its own models alone
    type='Distiller',
    learners=dict(sig=dict(view='sig', network=dict(backbone=dict(type='WideResNet', dim=1, depth=16, widen_factor=3)))),
)
