# Entropy-based weights (Kwon et al., ICPR 2020): a teacher counts less for a sample where it is undecided.
entropy = dict(
    type='ResponseTransfer',
    source=['sig.logits', 'gaf.logits', 'pi.logits'],
    target='student.logits',
    tau=4.0,
    weighting=dict(type='Entropy'),
    weight=0.2,
)
