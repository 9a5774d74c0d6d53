# Progressive cross-modal KD: the branches learn one after the other and then together, in three phases.
# Paper: Progressive Cross-modal Knowledge Distillation for Human Action Recognition (Ni et al., ACM MM 2022), https://arxiv.org/abs/2208.08090
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/multi_branch_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/progressive.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 5 of 12 by configs/searches/all_methods.py: 86.7 % on validation, the student alone 87.4.
model = dict(
    teachers=dict(sig=_base_.teachers['sig'], gaf=_base_.teachers['gaf']),
    transfers=dict(
        sig_to_img=dict(_base_.progressive['sig_to_img'], weight=0.17),
        img_to_sig=dict(_base_.progressive['img_to_sig'], weight=0.17),
        shared=dict(_base_.progressive['shared'], weight=0.12),
    ),
    # Epochs of a run of 20; one of other length stretches them. The rate falls to 0 along a cosine in each.
    phases=dict(
        sig_to_img=dict(epochs=[0, 5], lr=0.036, terms=['sig_to_img'], frozen=['student', 'fusion']),
        img_to_sig=dict(epochs=[5, 10], lr=0.036, terms=['img_to_sig'], frozen=['image', 'fusion']),
        shared=dict(epochs=[10, 20], lr=0.036, terms=['shared', 'student', 'image', 'fusion']),
    ),
)
param_scheduler = None  # the phases set the rate
