# The student without any teacher: what distillation has to beat.
_base_ = [
    '../_base_/datasets/watch.py',
    '../_base_/networks/wrn16_1_student.py',
    '../_base_/schedules/sgd.py',
    '../_base_/default_runtime.py',
]
