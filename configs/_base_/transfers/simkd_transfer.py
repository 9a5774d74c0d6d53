# SimKD (Chen et al., CVPR 2022): the projected feature follows the teacher's; there is no other loss.
simkd = dict(type='FeatureTransfer', source='sig.stages.2', target='student.stages.3', weight=1.0)
