# Hidden-feature distillation as anomaly detection (after Sensors 2024): the pooled vector and the response of the image teacher.
anomaly = dict(
    hidden=dict(type='FeatureTransfer', source='gaf.embedding', target='student.embedding', weight=1.0),
    response=dict(type='ResponseTransfer', tau=4.0, source='gaf.logits', target='student.logits', weight=1.0),
)
