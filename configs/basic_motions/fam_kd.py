# FAM: on BasicMotions, a first run in well under a minute.
_base_ = [
    '../_base_/datasets/basic_motions.py',
    '../_base_/networks/wrn16_1_student.py',
    '../_base_/teachers/sig_gaf_pi.py',
    '../_base_/transfers/aver.py',
    '../_base_/transfers/fam.py',
    '../_base_/schedules/sgd.py',
    '../_base_/default_runtime.py',
]
model = dict(teachers=_base_.teachers, transfers=dict(aver=_base_.aver, **_base_.fam))
