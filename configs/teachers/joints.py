_base_ = './sig.py'

augment = []  # a camera is not worn

# Of joints in three axes, 60 or 96 channels: twice as wide as the student.
model = dict(learners=dict(sig=dict(network=dict(backbone=dict(widen_factor=2)))))
