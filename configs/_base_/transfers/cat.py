# CAT-KD (Guo et al., CVPR 2023): maps of all classes, pooled to two cells and L2-normalised, here over time.
cat = dict(
    type='ActivationMapTransfer', source='sig.cam', target='student.cam', classes='all', normalize=True, size=2, weight=1.0
)
