# Uncertainty-aware TPKD: maps of two teachers merged by how certain each is of a sample; the student starts as that of tpkd.py.
# Paper: Uncertainty-Aware Topological Persistence Guided Knowledge Distillation on Wearable Sensor Data (Jeon et al., IEEE IoT Journal 2024), https://doi.org/10.1109/JIOT.2024.3412980
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/utpkd_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 6 of 12 by configs/searches/all_methods.py: 86.8 % on validation, the student alone 87.4.
model = dict(
    teachers=dict(sig=_base_.teachers['sig'], pi=_base_.teachers['pi']),
    transfers=dict(
        _base_.utpkd, responses=dict(_base_.utpkd['responses'], weight=0.099), maps=dict(_base_.utpkd['maps'], weight=170)
    ),
    learners=dict(student=dict(init_from='configs/supervised/student.py')),  # trained on first use, like a teacher
)
optim_wrapper = dict(optimizer=dict(lr=0.049))
