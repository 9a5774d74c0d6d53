# Progressive cross-modal distillation (Ni et al., ACM MM 2022): the signal teacher's vector for the image branch, the image
# teacher's for the signal branch, then both branches in one shared space.
progressive = dict(
    sig_to_img=dict(
        type='FeatureTransfer',
        source='sig.embedding',
        target='image.embedding',
        connector=dict(type='LinearConnector'),
        weight=1.0,
    ),
    img_to_sig=dict(
        type='FeatureTransfer',
        source='gaf.embedding',
        target='student.embedding',
        connector=dict(type='LinearConnector'),
        weight=1.0,
    ),
    shared=dict(
        type='BatchContrastTransfer',
        source='image.embedding',
        target='student.embedding',
        consistency=0.0,
        mutual=True,  # both branches move
        weight=0.2,
    ),
)
