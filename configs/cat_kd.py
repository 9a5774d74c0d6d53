# CAT-KD: class attention maps over time, from the signal teacher.
# Paper: Class Attention Transfer Based Knowledge Distillation (Guo et al., CVPR 2023), https://arxiv.org/abs/2304.12777
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/cat.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=dict(cat=_base_.cat))
