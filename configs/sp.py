# SP: similarities between samples, from the signal teacher.
# Paper: Similarity-Preserving Knowledge Distillation (Tung & Mori, ICCV 2019), https://arxiv.org/abs/1907.09682
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/sp_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=dict(sp=_base_.sp))
