# Review distillation (Chen et al., CVPR 2021), stages and pooled vector, warmed up in a straight line.
warm_up = dict(type='Ramp', value=1.0, over=0.1)  # published: 20 of 240 epochs
review = dict(
    review=dict(
        type='FeatureTransfer',
        source='sig.stages',
        target='student.stages',
        distance='pyramid',
        connector=dict(type='GatedReviewConnector'),
        weight=warm_up,
    ),
    pooled=dict(
        type='FeatureTransfer',
        source='sig.embedding',
        target='student.embedding',
        connector=dict(type='LinearConnector'),
        weight=warm_up,
    ),
)
