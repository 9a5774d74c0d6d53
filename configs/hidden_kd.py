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
model = dict(teachers=dict(gaf=_base_.teachers['gaf']), transfers=dict(hidden=_base_.hidden))
