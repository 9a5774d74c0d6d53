# KD: a student of the watch learns from a teacher that follows the joints of a camera; SmartFallMM, and by --data utd_mhad the other.
_base_ = [
    '../_base_/datasets/smartfallmm.py',
    '../_base_/networks/wrn16_1_student.py',
    '../_base_/schedules/sgd.py',
    '../_base_/default_runtime.py',
]
model = dict(
    teachers=dict(skeleton=dict(config='configs/teachers/joints.py', view='skeleton')),
    transfers=dict(kd=dict(type='ResponseTransfer', source='skeleton.logits', target='student.logits', tau=4.0, weight=1.0)),
)
