# The student of the wrist without a teacher, fall or not on UMAFall: what wrist_from_body has to beat.
_base_ = [
    '../_base_/datasets/umafall_body.py',
    '../_base_/networks/wrn16_1_student.py',
    '../_base_/schedules/sgd.py',
    '../_base_/default_runtime.py',
]
# Chosen with the student that is taught, on four groups of subjects who are not tested (docs/results_wearable.md). Three blocks in a
# stage instead of two; 93,442 parameters.
model = dict(learners=dict(student=dict(network=dict(backbone=dict(depth=22)))))
optim_wrapper = dict(optimizer=dict(weight_decay=1e-3))
train_cfg = dict(max_epochs=80)
