# AE-KD (Du et al., NeurIPS 2020): three teachers, weighted so that the gradient of their common term is as short as possible; no
# weight above 0.6, as in the published code, whose weight of the responses is 0.9.
aekd = dict(
    type='ResponseTransfer',
    source=['sig.logits', 'gaf.logits', 'pi.logits'],
    target='student.logits',
    tau=4.0,
    weighting=dict(type='MinimumNorm', tolerance=0.6),
    weight=0.2,
)
