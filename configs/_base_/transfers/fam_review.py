# Frequency attention, review form (Pham et al., WACV 2024): fused features against all stages of the teacher, and the pooled
# vector, both warmed up in a straight line.
warm_up = dict(type='Ramp', value=0.2, over=0.1)  # published: 20 of 240 epochs
fam_review = dict(
    review=dict(
        type='FeatureTransfer',
        source='gaf.stages',
        target='student.stages',
        connector=[dict(type='Lift', mode='outer'), dict(type='ReviewConnector')],
        weight=warm_up,
    ),
    pooled=dict(
        type='FeatureTransfer',
        source='gaf.embedding',
        target='student.embedding',
        connector=dict(type='LinearConnector'),
        weight=warm_up,
    ),
)
