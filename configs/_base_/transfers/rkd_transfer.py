# Relational distillation (Park et al., CVPR 2019), both parts with the paper's weights.
rkd = dict(
    rkd_distance=dict(
        type='RelationTransfer', relation='distance', source='sig.embedding', target='student.embedding', weight=25.0
    ),
    rkd_angle=dict(type='RelationTransfer', relation='angle', source='sig.embedding', target='student.embedding', weight=50.0),
)
