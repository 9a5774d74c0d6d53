# AVER: one student from the average of three teachers.
# Paper: Learning from Multiple Teacher Networks (You et al., KDD 2017), https://doi.org/10.1145/3097983.3098135
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/aver.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 6 of 12 by configs/searches/all_methods.py: 85.7 % on validation, the student alone 87.4.
model = dict(teachers=_base_.teachers, transfers=dict(aver=dict(_base_.aver, weight=0.099, tau=4)))
optim_wrapper = dict(optimizer=dict(lr=0.049))
