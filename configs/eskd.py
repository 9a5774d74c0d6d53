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
# Trial 2 of 12 by configs/searches/all_methods.py: 86.3 % on validation, the student alone 87.4.
model = dict(
    teachers=dict(sig=dict(use='best', **_base_.teachers['sig'])),
    transfers=dict(eskd=dict(_base_.eskd, weight=dict(_base_.eskd['weight'], value=0.028, stop=0.4), tau=1)),
)
optim_wrapper = dict(optimizer=dict(lr=0.054))
