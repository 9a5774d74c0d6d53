# FAM: with AVER and CRD, three methods at once.
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/aver.py',
    '_base_/transfers/fam.py',
    '_base_/transfers/crd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=_base_.teachers, transfers=dict(aver=_base_.aver, crd=_base_.crd, **_base_.fam))
