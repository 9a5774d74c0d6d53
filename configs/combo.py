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
# Trial 1 of 12 by configs/searches/all_methods.py: 85.7 % on validation, the student alone 87.4. Published: 0.8 for CRD.
model = dict(
    teachers=_base_.teachers,
    transfers=dict(
        aver=dict(_base_.aver, weight=0.11),
        crd=dict(_base_.crd, weight=0.13),
        **{name: dict(fam, weight=1.8) for name, fam in _base_.fam.items()},
    ),
)
optim_wrapper = dict(optimizer=dict(lr=0.18))
