# CA-MKD (Zhang et al., ICASSP 2022): teachers are weighted by their own error for responses, and for features by the error
# of the student's feature in their classifier. Published weights are 1 and 50.
ca = dict(
    responses=dict(
        type='ResponseTransfer',
        source=['sig.logits', 'gaf.logits', 'pi.logits'],
        target='student.logits',
        tau=4.0,
        weighting=dict(type='Confidence'),
        weight=0.2,
    ),
    features=dict(
        type='FeatureTransfer',
        source=['sig.embedding', 'gaf.embedding', 'pi.embedding'],
        target='student.embedding',
        connector=dict(type='LinearConnector'),
        weighting=dict(type='Confidence', of='student'),
        weight=1.0,
    ),
)
