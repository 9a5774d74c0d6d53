# Hidden-feature distillation as anomaly detection (after Sensors 2024): two stages and the pooled vector of the image teacher.
lifted = [dict(type='Lift', mode='outer'), dict(type='ConvConnector')]
anomaly = dict(
    stage1=dict(
        type='FeatureTransfer',
        distance='cosine',
        source='gaf.stages.1',
        target='student.stages.1',
        connector=lifted,
        weight=1.0,
    ),
    stage2=dict(
        type='FeatureTransfer',
        distance='cosine',
        source='gaf.stages.2',
        target='student.stages.2',
        connector=lifted,
        weight=1.0,
    ),
    hidden=dict(type='FeatureTransfer', distance='cosine', source='gaf.embedding', target='student.embedding', weight=1.0),
)
