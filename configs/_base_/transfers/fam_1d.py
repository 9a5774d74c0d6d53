# Frequency attention over time, layer to layer between signal networks (Pham et al., WACV 2024, in one dimension).
along_time = [dict(type='Resize'), dict(type='FrequencyAttention', cutoff=0.1), dict(type='NormReLU', relu=False)]
fam_1d = dict(
    # The first two stages of the teacher are given before any activation and may be negative.
    fam0=dict(type='FeatureTransfer', source='sig.stages.0', target='student.stages.0', connector=along_time, weight=0.2),
    fam1=dict(type='FeatureTransfer', source='sig.stages.1', target='student.stages.1', connector=along_time, weight=0.2),
    fam2=dict(
        type='FeatureTransfer',
        source='sig.stages.2',
        target='student.stages.2',
        connector=[dict(type='Resize'), dict(type='FrequencyAttention', cutoff=0.1), dict(type='NormReLU')],
        weight=0.2,
    ),
)
