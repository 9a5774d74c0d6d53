# Averaged multi-teacher distillation (You et al., KDD 2017): the softened answers of three teachers, each a third.
aver = dict(
    type='ResponseTransfer',
    source=['sig.logits', 'gaf.logits', 'pi.logits'],
    target='student.logits',
    tau=4.0,
    weighting=dict(type='Uniform'),
    weight=0.2,
)
