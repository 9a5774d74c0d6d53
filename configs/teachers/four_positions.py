_base_ = './sig.py'

augment = []  # sensors that turn together say where the body is

# Of wrist, waist, ankle and chest, 24 channels: twice as wide as the student (docs/results_wearable.md).
model = dict(learners=dict(sig=dict(network=dict(backbone=dict(widen_factor=2)))))
train_cfg = dict(max_epochs=30)
