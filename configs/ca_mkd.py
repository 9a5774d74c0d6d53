# Confidence-aware distillation from three teachers (CA-MKD; class activation maps are cam_kd.py).
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/ca.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=_base_.teachers, transfers=_base_.ca)
