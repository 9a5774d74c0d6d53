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
# Trial 10 of 12 by configs/searches/all_methods.py: 86.2 % on validation, the student alone 87.4.
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=dict(kd=dict(_base_.kd, weight=0.083, tau=2)))
optim_wrapper = dict(optimizer=dict(lr=0.12))
