# LFME (Xiang et al., ECCV 2020): every teacher is a term of its own until the student has caught up with it, and the label loss is
# a curriculum. Published are tau = 2 and a weight of 1 without tau squared, which is 1 / 4 here; alpha is that of the public code
# for ImageNet-LT.
lfme = dict(
    experts=dict(
        type='ResponseTransfer',
        source=['sig.logits', 'gaf.logits', 'pi.logits'],
        target='student.logits',
        tau=2.0,
        weighting=dict(type='SelfPaced', alpha=0.3),
        weight=0.25,
    ),
    curriculum=dict(
        type='CurriculumTransfer',
        source=['sig.logits', 'gaf.logits', 'pi.logits'],
        target='student.logits',
        over=0.5,  # of the run, as in the public code
        weight=1.0,
    ),
)
