# AVER (You et al., KDD 2017): the softened average of the logits of three teachers, a third each.
aver = dict(
    type='ResponseTransfer',
    source=['sig.logits', 'gaf.logits', 'pi.logits'],
    target='student.logits',
    tau=4.0,
    average='logits',
    weighting=dict(type='Uniform'),
    weight=0.2,
)
