# FAM: over time, a student of the watch follows the stages of a teacher that follows the joints of a camera.
_base_ = './watch_from_skeleton.py'
# Both are 3 s, of 96 samples and of 90 frames: the student's features are resized to the teacher's.
along_time = [dict(type='Resize'), dict(type='FrequencyAttention', cutoff=0.1), dict(type='NormReLU', relu=False)]
rectified = [dict(type='Resize'), dict(type='FrequencyAttention', cutoff=0.1), dict(type='NormReLU')]
model = dict(
    transfers=dict(
        kd=None,
        # The first two stages of the teacher are given before any activation and may be negative.
        fam0=dict(
            type='FeatureTransfer', source='skeleton.stages.0', target='student.stages.0', connector=along_time, weight=0.2
        ),
        fam1=dict(
            type='FeatureTransfer', source='skeleton.stages.1', target='student.stages.1', connector=along_time, weight=0.2
        ),
        fam2=dict(
            type='FeatureTransfer', source='skeleton.stages.2', target='student.stages.2', connector=rectified, weight=0.2
        ),
    )
)
