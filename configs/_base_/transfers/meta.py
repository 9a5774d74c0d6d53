# MMKD (Zhang et al., ICME 2023): responses and pooled vectors of three teachers, each weighed by a network of its own. Published weights
# are 1 for responses, which is kept, and 100 for the last feature map; vectors have that of CA-MKD here.
meta = dict(
    responses=dict(
        type='ResponseTransfer',
        source=['sig.logits', 'gaf.logits', 'pi.logits'],
        target='student.logits',
        tau=4.0,
        weighting=dict(type='Learned'),
        weight=1.0,
    ),
    features=dict(
        type='FeatureTransfer',
        source=['sig.embedding', 'gaf.embedding', 'pi.embedding'],
        target='student.embedding',
        connector=[dict(type='LinearConnector'), dict(type='NormReLU')],
        weighting=dict(type='Learned'),
        weight=1.0,
    ),
)
