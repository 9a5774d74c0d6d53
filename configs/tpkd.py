# TPKD: with three teachers; the student starts from one trained on labels alone ("Ann").
# Paper: Topological Persistence Guided Knowledge Distillation for Wearable Sensor Data (Jeon et al. 2024), https://arxiv.org/abs/2407.05315
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/tpkd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 0 of 12 by configs/searches/all_methods.py: 86.6 % on validation, the student alone 87.4. Published: 200 for the maps.
model = dict(
    teachers=_base_.teachers,
    transfers=dict(
        _base_.tpkd, responses=dict(_base_.tpkd['responses'], weight=0.27), maps=dict(_base_.tpkd['maps'], weight=47)
    ),
    learners=dict(student=dict(init_from='configs/supervised/student.py')),  # trained on first use, like a teacher
)
