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
model = dict(
    teachers=dict(sig=_base_.teachers['sig'], gaf=_base_.teachers['gaf']),
    transfers=_base_.progressive,
    # Epochs of a run of 20; one of other length stretches them. The rate falls to 0 along a cosine in each.
    phases=dict(
        sig_to_img=dict(epochs=[0, 5], lr=0.05, terms=['sig_to_img'], frozen=['student', 'fusion']),
        img_to_sig=dict(epochs=[5, 10], lr=0.05, terms=['img_to_sig'], frozen=['image', 'fusion']),
        shared=dict(epochs=[10, 20], lr=0.05, terms=['shared', 'student', 'image', 'fusion']),
    ),
)
param_scheduler = None  # the phases set the rate
