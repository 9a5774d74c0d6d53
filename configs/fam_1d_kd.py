# FAM: frequency attention over time, between signal networks.
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/fam_1d.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=_base_.fam_1d)
