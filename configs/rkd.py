# RKD: distances and angles between samples, from the signal teacher.
# Paper: Relational Knowledge Distillation (Park et al., CVPR 2019), https://arxiv.org/abs/1904.05068
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/rkd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=_base_.rkd)
