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
model = dict(
    teachers=dict(sig=_base_.teachers['sig']),
    transfers=dict(simkd=_base_.simkd),
    learners=dict(
        student=dict(
            classifier='sig',
            ce_weight=0.0,
            network=dict(projector=dict(type='BottleneckProjector', out_channels=192)),  # what the teacher's classifier reads
        ),
    ),
)
