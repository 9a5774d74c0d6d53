# Review KD: fused stages and the pooled vector, from the signal teacher.
# Paper: Distilling Knowledge via Knowledge Review (Chen et al., CVPR 2021), https://arxiv.org/abs/2104.09044
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/review.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=_base_.review)
