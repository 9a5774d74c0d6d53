# Hidden-feature KD: the pooled vector of the Gramian angular field teacher.
# Paper: Knowledge distillation approach with image transformation (Sensors 2024)
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/hidden.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 6 of 12 by configs/searches/all_methods.py: 86.3 % on validation, the student alone 87.4.
model = dict(teachers=dict(gaf=_base_.teachers['gaf']), transfers=dict(hidden=dict(_base_.hidden, weight=0.099)))
optim_wrapper = dict(optimizer=dict(lr=0.049))
