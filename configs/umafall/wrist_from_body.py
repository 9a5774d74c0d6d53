# KD: a student of the wrist learns from a teacher that reads wrist, waist, ankle and chest, fall or not on UMAFall.
_base_ = '../supervised/wrist_alone.py'
# On four groups of subjects who are not tested: AUROC 94.6, by tau 4, weight 1 and the schedule of 30 epochs 92.8; accuracy 90.8 by both.
model = dict(
    teachers=dict(body=dict(config='configs/teachers/four_positions.py', view='body')),
    transfers=dict(kd=dict(type='ResponseTransfer', source='body.logits', target='student.logits', tau=2.0, weight=2.0)),
)
