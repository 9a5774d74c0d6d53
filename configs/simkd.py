# SimKD: the signal teacher's classifier, taken over behind a projector.
# Paper: Knowledge Distillation with the Reused Teacher Classifier (Chen et al., CVPR 2022), https://arxiv.org/abs/2203.14001
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/simkd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 3 of 12 by configs/searches/all_methods.py: 83.9 % on validation, the student alone 87.4. Published: 1.
model = dict(
    teachers=dict(sig=_base_.teachers['sig']),
    transfers=dict(simkd=dict(_base_.simkd, weight=6.7)),
    learners=dict(
        student=dict(
            classifier='sig',
            ce_weight=0.0,
            network=dict(projector=dict(type='BottleneckProjector', out_channels=192)),  # what the teacher's classifier reads
        ),
    ),
)
optim_wrapper = dict(optimizer=dict(lr=0.042))
