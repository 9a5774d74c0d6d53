# KD: a student of the wrist learns from a teacher that reads wrist, waist, ankle and chest, fall or not on UMAFall.
_base_ = '../supervised/wrist_alone.py'
# After the last epoch, on four groups of people who are not tested: 96.1 %, without a teacher 95.5 (docs/results_wearable.md).
model = dict(
    teachers=dict(body=dict(config='configs/teachers/four_positions.py', view='body')),
    transfers=dict(kd=dict(type='ResponseTransfer', source='body.logits', target='student.logits', tau=2.0, weight=2.0)),
)
