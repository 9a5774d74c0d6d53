# KD: to compare with early-stopped, the last epoch of the teacher and a transfer to the end.
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/kd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=dict(use='last', **_base_.teachers['sig'])), transfers=dict(kd=_base_.kd))
