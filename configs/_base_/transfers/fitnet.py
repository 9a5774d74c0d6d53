# FitNet (Romero et al., ICLR 2015): the middle stage through a 1×1 convolution. The weight is that of Tian et al., ICLR 2020,
# whose distance is the same mean over all elements.
fitnet = dict(
    type='FeatureTransfer',
    source='sig.stages.1',
    target='student.stages.1',
    connector=dict(type='ConvConnector'),
    weight=100.0,
)
