# CAM-KD: class activation maps for the image branch of a student that is deployed without it.
# Paper: Learning Deep Features for Discriminative Localization (Zhou et al., CVPR 2016), https://arxiv.org/abs/1512.04150
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/multi_branch_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/kd_transfer.py',
    '_base_/transfers/cam.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 4 of 12 by configs/searches/all_methods.py: 85.3 % on validation, the student alone 87.4.
model = dict(
    teachers=dict(sig=_base_.teachers['sig'], gaf=_base_.teachers['gaf']),
    transfers=dict(kd=dict(_base_.kd, weight=0.034), cam=dict(_base_.cam, weight=0.002)),
)
optim_wrapper = dict(optimizer=dict(lr=0.041))
