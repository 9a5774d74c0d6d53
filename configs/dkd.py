# DKD: the target class and the other classes apart, from the signal teacher.
# Paper: Decoupled Knowledge Distillation (Zhao et al., CVPR 2022), https://arxiv.org/abs/2203.08679
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/dkd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=dict(dkd=_base_.dkd))
