# DIST: correlation instead of divergence.
# Paper: Knowledge Distillation from A Stronger Teacher (Huang et al., NeurIPS 2022), https://arxiv.org/abs/2205.10536
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/dist_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=dict(dist=_base_.dist))
