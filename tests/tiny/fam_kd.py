# FAM: on BasicMotions, a first run in well under a minute.
_base_ = [
    '../../configs/_base_/datasets/basic_motions.py',
    '../../configs/_base_/networks/wrn16_1_student.py',
    '../../configs/_base_/teachers/sig_gaf_pi.py',
    '../../configs/_base_/transfers/aver.py',
    '../../configs/_base_/transfers/fam.py',
    '../../configs/_base_/schedules/sgd.py',
    '../../configs/_base_/default_runtime.py',
]
model = dict(teachers=_base_.teachers, transfers=dict(aver=_base_.aver, **_base_.fam))
