# KD: to compare with early-stopped, the last epoch of the teacher and a transfer to the end.
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/kd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 5 of 12 by configs/searches/all_methods.py: 85.6 % on validation, the student alone 87.4.
model = dict(
    teachers=dict(sig=dict(use='last', **_base_.teachers['sig'])), transfers=dict(kd=dict(_base_.kd, weight=0.12, tau=1))
)
optim_wrapper = dict(optimizer=dict(lr=0.036))
