# FAM: in the review form, from the Gramian angular field teacher.
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/fam_review.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(gaf=_base_.teachers['gaf']), transfers=_base_.fam_review)
