# KD: a student of the wrist learns from a teacher that reads wrist, waist, ankle and chest, fall or not on UMAFall.
_base_ = [
    '../_base_/datasets/umafall_body.py',
    '../_base_/networks/wrn16_1_student.py',
    '../_base_/schedules/sgd.py',
    '../_base_/default_runtime.py',
]
model = dict(
    teachers=dict(body=dict(config='configs/teachers/sig.py', view='body')),
    transfers=dict(kd=dict(type='ResponseTransfer', source='body.logits', target='student.logits', tau=4.0, weight=1.0)),
)
