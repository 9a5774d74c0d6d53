# FitNet (Romero et al., ICLR 2015): the middle stage through a 1×1 convolution. The 100 of Tian et al., ICLR 2020, diverges on this
# teacher, whose second stage is given before its activation and has large values.
fitnet = dict(
    type='FeatureTransfer',
    source='sig.stages.1',
    target='student.stages.1',
    connector=dict(type='ConvConnector'),
    weight=1.0,
)
