# KD: the softened response of the signal teacher.
# Paper: Distilling the Knowledge in a Neural Network (Hinton et al. 2015), https://arxiv.org/abs/1503.02531
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/kd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=dict(kd=_base_.kd))
