# DCD: contrast and consistency within the batch, from the Gramian angular field teacher.
# Paper: Discriminative and Consistent Representation Distillation (Giakoumoglou & Stathaki 2024), https://arxiv.org/abs/2407.11802
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/dcd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 0 of 12 by configs/searches/all_methods.py: 86.1 % on validation, the student alone 87.4. Published: 1.
model = dict(teachers=dict(gaf=_base_.teachers['gaf']), transfers=dict(dcd=dict(_base_.dcd, weight=1.4)))
