# Evidence-based KD: across modalities (called EB-KD at times; entropy-based KD is entropy_kd.py).
# Paper: Evidence-based knowledge distillation across modalities (attention over time and class activation maps)
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/multi_branch_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/kd_transfer.py',
    '_base_/transfers/evidence.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 3 of 12 by configs/searches/all_methods.py: 85.3 % on validation, the student alone 87.4.
model = dict(
    teachers=dict(sig=_base_.teachers['sig'], gaf=_base_.teachers['gaf']),
    transfers=dict(kd=dict(_base_.kd, weight=1.3), evidence=dict(_base_.evidence, weight=460)),
)
optim_wrapper = dict(optimizer=dict(lr=0.042))
