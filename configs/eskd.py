# ESKD: the best-on-validation teacher, transfers that stop, the best-on-validation student.
# Paper: On the Efficacy of Knowledge Distillation (Cho & Hariharan, ICCV 2019), https://arxiv.org/abs/1910.01348
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/eskd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=dict(use='best', **_base_.teachers['sig'])), transfers=dict(eskd=_base_.eskd))
