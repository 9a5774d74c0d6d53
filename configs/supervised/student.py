# The student without any teacher: what distillation has to beat.
_base_ = [
    '../_base_/datasets/watch.py',
    '../_base_/networks/wrn16_1_student.py',
    '../_base_/schedules/sgd.py',
    '../_base_/default_runtime.py',
]
# Trial 0 of 12 by configs/searches/all_methods.py: 87.4 % on validation, a rate of 0.05, which is that of the schedule.
